"""What both players of minibatch training do to images: `python -m studies.minibatches` draws R2T2's figure A.8."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import torch
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor

from sparring.arrays import Batch
from sparring.attacks import LevelK as LevelKAttack
from sparring.contracts import unnoted
from sparring.experiments import parse_config
from sparring.experiments.config.build_central import build_central, load_central_dataset
from sparring.games.recursive import CentralState, CentralTraining, initial_central_state, play_minibatch
from sparring.games.recursive.central import view_minibatch
from sparring.random import stream

SETTINGS: Mapping[str, Any] = {
    "kind": "central",
    "data": {"name": "mnist", "train": 5000, "validation": 1000},
    "model": {"name": "mlp", "hidden": 100},
    "training": {"epochs": 10, "batch": 500},
    "attack": {"name": "level_k", "level": 1, "epsilon": 3.0},
    "defense": {"name": "level_k", "level": 1, "epsilon": 3.0},
}
"""Level 1 against level 1, as in table 2 at laptop scale, for an eighth of its length."""
ROWS = ("original", "perturbation", "perturbed", "transformation", "transformed")
CHANGES = ("perturbation", "transformation")
CELL_INCHES, DPI = 0.75, 120


class Stages(NamedTuple):
    """Some images `[examples, channels, height, width]` as they are, and as each player leaves them."""

    original: Tensor
    perturbed: Tensor
    transformed: Tensor

    def rows(self) -> dict[str, Tensor]:
        """Return the five rows of the picture by name; what a player adds is the difference of two stages."""
        added = (self.perturbed - self.original, self.transformed - self.perturbed)
        return dict(zip(ROWS, (self.original, added[0], self.perturbed, added[1], self.transformed), strict=True))


def train(training: CentralTraining) -> CentralState:
    """Play all rounds."""
    state = initial_central_state(training)
    while state.round < training.rounds:
        state, _ = play_minibatch(training, state)
    return state


def show_stages(training: CentralTraining, state: CentralState) -> Stages:
    """Return what both players do to the first training image of each class.

    The attacker plays its direction at this model in full length, without its history.
    """
    assert isinstance(training.attack, LevelKAttack)
    labels = training.train.labels
    rows = torch.stack([(labels == label).nonzero()[0, 0] for label in labels.unique()])
    view = view_minibatch(training, state, rows, note=unnoted)
    perturbed, _ = replace(training.attack, momentum=0).perturb(view, {})
    seen = replace(
        view, batch=Batch(perturbed, view.batch.labels), examples=None, rng=stream(training.seed, "defense", view.round)
    )
    purified, _ = training.defense.purify(seen, {})
    return Stages(view.batch.inputs, perturbed, purified.batch.inputs)


def draw(stages: Stages) -> bytes:
    """Draw a column for each image, with what is added from blue (darker) to red (brighter)."""
    pictures, count = stages.rows(), len(stages.original)
    figure = Figure(figsize=(CELL_INCHES * (count + 1), CELL_INCHES * len(pictures)), layout=ConstrainedLayoutEngine())
    grid = figure.subplots(len(pictures), count, squeeze=False)
    for axes, (name, images) in zip(grid, pictures.items(), strict=True):
        farthest = images.abs().max().item() or 1.0
        colors: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 1}
        if name in CHANGES:
            colors = {"cmap": "RdBu_r", "vmin": -farthest, "vmax": farthest}
        for ax, image in zip(axes, images, strict=True):
            ax.imshow(image.mean(dim=0).numpy(), interpolation="nearest", **colors)
            ax.set(xticks=[], yticks=[])
        axes[0].set_ylabel(name, fontsize=7)
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, metadata={"Software": None})
    return drawn.getvalue()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--docs", type=Path, default=Path("docs"), help="folder for the picture")
    given = options.parse_args()
    torch.set_num_threads(1)
    config: Any = parse_config(SETTINGS)
    training = build_central(config, load_central_dataset(config))
    picture = given.docs / "pictures" / "perturbed-minibatch.png"
    picture.write_bytes(draw(show_stages(training, train(training))))


if __name__ == "__main__":
    main()
