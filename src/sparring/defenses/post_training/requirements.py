"""What a post-training defense can be set to, and what it must be given."""

from sparring.arrays import Batch, pixels
from sparring.errors import ConfigError


def clean_examples(defense: str, root: Batch | None) -> Batch:
    """Return the server's examples with inputs in [0, 1], or say that there are none."""
    if root is None or len(root.labels) == 0:
        raise ConfigError(f"post_training {defense} needs root data; use data.root_size >= 1")
    return Batch(pixels(root.inputs), root.labels)
