"""The data sets in the catalogue."""
