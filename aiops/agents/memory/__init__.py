"""What is remembered: of this run, of past incidents, and of what helped."""
