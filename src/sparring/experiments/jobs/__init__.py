"""Jobs that can be stopped, resumed and distributed over processes, and their files."""
