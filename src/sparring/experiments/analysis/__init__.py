"""Analysis of results: summaries with confidence intervals, paired differences, claims and their evidence."""
