"""Cases recorded from a running lab, in the uniform layout of the recorded data sets."""
