"""Attackers and defenders of a model's training process, trained against each other."""

__version__ = "0.2.0"
