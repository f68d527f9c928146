"""Configurations: read, override and check a document of settings, and build the scenario that it describes."""
