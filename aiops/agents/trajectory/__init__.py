"""Everything that decided one run, in the order of its happening, so that it can be run again."""
