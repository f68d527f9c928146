"""Defenses that repair perturbed minibatches before a model is trained on them."""
