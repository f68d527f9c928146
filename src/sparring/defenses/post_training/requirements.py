"""Requirements of post-training defenses."""

from sparring.arrays import Batch, pixels
from sparring.errors import ConfigError


def clean_examples(defense: str, root: Batch | None) -> Batch:
    """Return the server's examples with inputs in [0, 1]; raise an error if there are none."""
    if root is None or len(root.labels) == 0:
        raise ConfigError(f"post_training {defense} needs root data; use data.root_size >= 1")
    return Batch(pixels(root.inputs), root.labels)
