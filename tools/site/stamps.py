"""Pictures of triggers: an image of each class, and what a trigger makes of it."""

from collections.abc import Mapping
from functools import cache
from io import BytesIO

import torch
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor

from sparring.arrays import pixels
from sparring.attacks import DividedTrigger, LearnedTrigger, TriggerNetwork, TriggerTraining, train_trigger
from sparring.contracts import Trigger
from sparring.data import Dataset, load
from sparring.models import LeNet, network
from sparring.random import stream

CELL, DPI = 0.62, 120
"""Inches of an image."""
LABELS = 1.5
"""Inches for the names of the rows."""
ALIKE = 0.005
"""Changes of pixels that differ by less look the same."""
TARGET = 2
TRAINING = TriggerTraining(steps=150)
"""For the trigger that stands for all that are learned; it takes a few seconds."""


def draw_trigger(trigger: Trigger) -> bytes:
    """Draw ten images, the same ones with the trigger, and the change."""
    return _drawn({"with the trigger": _playable(trigger)})


def draw_backdoor(trigger: Trigger, *, is_divided: bool) -> bytes:
    """Draw the images that malicious clients train on, and those that the model is tried on."""
    if not is_divided:
        return draw_trigger(trigger)
    assert isinstance(trigger, DividedTrigger)
    parts = {f"client {client}": part for client, part in enumerate(trigger.parts)}
    return _drawn(parts | {"the model's test": trigger})


def _drawn(triggers: Mapping[str, Trigger]) -> bytes:
    images = _images()
    stamped = {name: trigger.stamp(images) for name, trigger in triggers.items()}
    rows = {"image": images, **stamped, **_change(list(stamped.values())[-1] - images)}
    size = (LABELS + CELL * len(images), CELL * len(rows))
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.01, w_pad=0.01))
    grid = figure.subplots(len(rows), len(images), squeeze=False)
    for axes, (name, pictures) in zip(grid, rows.items(), strict=True):
        for ax, picture in zip(axes, pictures, strict=True):
            ax.imshow(picture[0].numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        axes[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=DPI, metadata={"Software": None})
    return picture.getvalue()


def _change(difference: Tensor) -> dict[str, Tensor]:
    """Return the difference, stretched around mid-gray to black or white, by a name that says how much.

    Mid-gray is no change, or the one that most pixels have in common, as those of a learned trigger do.
    """
    usual = float(difference.median())
    if ((difference - usual).abs() < ALIKE).double().mean() < 0.5:
        usual = 0.0
    apart = difference - usual
    largest = float(apart.abs().max())
    factor = 0.5 / largest if largest > 0 else 1.0
    name = "change" if abs(usual) < ALIKE else f"(change {-usual:+.2f})"
    return {f"{name} × {factor:.2g}": 0.5 + factor * apart}


@cache
def _digits() -> Dataset:
    return load("digits")


def _images() -> Tensor:
    """Return the first test image of each digit."""
    inputs, labels = _digits().test
    first = [int((labels == label).nonzero()[0]) for label in range(_digits().classes)]
    return pixels(inputs[torch.tensor(first)])


def _playable(trigger: Trigger) -> Trigger:
    """Return a trigger, or where it is in a file that nobody has yet, one like it."""
    return _learned() if isinstance(trigger, LearnedTrigger) else trigger


@cache
def _learned() -> TriggerNetwork:
    digits, rng = _digits(), stream(0, "gallery", "trigger")
    return train_trigger(network(LeNet(), digits), digits.train, target=TARGET, rng=rng, training=TRAINING).trigger
