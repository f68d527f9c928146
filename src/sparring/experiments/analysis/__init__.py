"""Results as tables: summaries with intervals, paired differences, claims and their evidence."""
