"""Presets of the meta-Stackelberg game."""
