"""Partitions of the training examples among clients."""
