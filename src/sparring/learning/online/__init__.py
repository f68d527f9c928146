"""Training of attack policies in parallel with the attacked training."""
