"""Attacks on the minibatches that a learner trains on."""
