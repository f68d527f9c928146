"""Aggregation rules: one file per rule, with its formula as a function and a class that holds its settings."""
