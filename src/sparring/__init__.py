"""Simulation of poisoning attacks on federated learning and of defenses, each trained against the other."""

__version__ = "0.2.0"
