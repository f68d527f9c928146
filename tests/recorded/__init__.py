"""Runs and a sweep that were played before the layout of the package changed: their results are kept to the byte."""
