"""Learning: training of policies, and learning of data distributions."""
