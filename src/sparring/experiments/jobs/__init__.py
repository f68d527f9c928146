"""Work that can be stopped, resumed and done by several processes, and the files that it leaves."""
