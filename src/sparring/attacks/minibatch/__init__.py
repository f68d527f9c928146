"""Attacks that perturb the minibatches on which a model is trained."""
