"""Building blocks of aggregation rules."""
