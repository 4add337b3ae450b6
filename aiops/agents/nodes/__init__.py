"""The nodes of the graph: functions of (state, crew), whichever engine carries them out."""
