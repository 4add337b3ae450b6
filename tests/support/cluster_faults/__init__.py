"""The faults that the rules on cluster state are tested with, by where they lie."""
