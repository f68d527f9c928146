"""A document of settings: read, overridden, checked, and built into what is played."""
