"""Scripts that measure the numbers of pages in docs/results."""
