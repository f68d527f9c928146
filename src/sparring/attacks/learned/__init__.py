"""Learned attacks: a policy trained in advance plays them."""
