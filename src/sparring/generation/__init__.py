"""Generation: more examples from the few that a server holds."""

from sparring.generation.augmentation import Augmentation

__all__ = ["Augmentation"]
