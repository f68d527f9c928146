"""Triggers: image changes that make a backdoored model predict the target class."""
