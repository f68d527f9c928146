"""Scripts that measure the numbers of a page in docs/results."""
