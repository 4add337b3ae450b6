"""Down the failing requests, as a person reads them: look, go on where it is unusual, conclude."""
