"""Presets of coordinated attackers."""
