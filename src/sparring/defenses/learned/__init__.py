"""Learned defenses: a policy sets their parameters in each round."""
