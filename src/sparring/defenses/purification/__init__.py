"""Defenses that change the minibatches that a learner trains on."""
