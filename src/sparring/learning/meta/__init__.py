"""Learning across types of opponents: a policy from which a few steps lead to a good answer to each of them."""
