"""Gradient inversion: `python -m studies.inversion` measures, writes the page and draws its picture."""

import argparse
import time
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor

from sparring.arrays import Batch, pixels
from sparring.contracts import Model, Recipe
from sparring.data import Dataset, LabelSkew, divide, load
from sparring.defenses import Mean
from sparring.federation import Attacker, Federation, Scenario, simulate_rounds
from sparring.federation.benign_updates import draw_batches
from sparring.federation.participants import sample_clients
from sparring.inversion import GradientInversion, invert_each, label_shares, mean_answers
from sparring.learning.distribution import (
    Denoiser,
    DistributionLearning,
    EstimatedGradient,
    estimated_gradients,
    learned_mixture,
    observed_models,
    reconstructed,
    step_size,
    train_denoiser,
)
from sparring.learning.distribution.measures import image_distance, label_error, matches, psnr
from sparring.models import LeNet, network
from sparring.random import stream
from sparring.training import gradient

SEEDS = (0, 1, 2)
SINGLE = 20
"""The number of images that are each reconstructed from the gradient of a single image."""
SHOWN = 10
KEPT = (1.0, 0.9, 0.8, 0.5, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1)
"""The share of each class that remains in the federation's data."""
CLIENTS, MALICIOUS, ROUNDS = 100, 5, 80
FROM_EACH = 100
"""The number of examples per client in a sample of the true mixture, in which all clients have equal weight."""
LEARNING = DistributionLearning()
HALVES = ("one gradient per image", "one aggregated gradient")
CELL_INCHES, DPI = 0.62, 120
VARIANTS = {
    "defaults": GradientInversion(),
    "500 iterations": GradientInversion(iterations=500),
    "two restarts": GradientInversion(restarts=2),
    "β = 0.4": GradientInversion(variation=0.4),
    "β = 0.1": GradientInversion(variation=0.1),
    "β = 0.02": GradientInversion(variation=0.02),
    "β = 0": GradientInversion(variation=0.0),
    "lr 0.03": GradientInversion(lr=0.03),
    "start: black": GradientInversion(brightness=0.0),
    "start: noise from 0 to 1": GradientInversion(brightness=1.0),
    "gradient instead of its sign; lr 0.05": GradientInversion(signed=False, lr=0.05),
    "no label inference at the start": GradientInversion(confidence=0.0, label_lr=0.1),
}
"""The variants for single images."""

ABOUT = """# Gradient inversion on MNIST

This page measures what [gradients reveal](../gradient-inversion.md) about training images, with `lenet` and the
defaults (300 iterations, lr 0.1, $\\beta = 0.2$) unless a row says otherwise.

## One image, one gradient

The gradient of one training image at the initial model: mean and minimum PSNR in decibels over {single} random
images, and the number of images whose label was found. All {single} are searched at once.

| initial model | mean | minimum | labels | mean of a black image |
|---|---:|---:|---:|---:|
{models}

Variants, on the first model:

| settings | mean | minimum | labels | mean of a black image | seconds |
|---|---:|---:|---:|---:|---:|
{variants}

## Data mixture of a federation

{clients} clients, 10 a round, one step on 32 images at lr 0.05, FedAvg, label skew q = 0.5. Of the training images
the classes from 0 to 9 keep {kept} %. The clients from 0 to {last} are
malicious: they observe the models and train honestly. They are not sampled in every round, so some gradients are means
over several rounds. The first {batches} gradients are inverted, each as one batch of 32 images. Each is the mean over
320 images a round.

Label distributions, by their total variation distance from that of the true mixture, in which all clients have equal
weight. *From biases* is what the last biases reveal before any search, *reconstructed* the most likely labels of the
images after it, and *mixture* these together with the attackers' own examples.

| seed | equal shares | attackers' own | from biases | reconstructed | mixture | seconds a batch |
|---:|---:|---:|---:|---:|---:|---:|
{labels}

Images, by the 1-Wasserstein distance of 500 of each kind from 500 of the true mixture, and by the mean PSNR of a
batch's images, matched with the true ones of its first round. *True* are other images of the same clients: the
smallest distance to expect.

| seed | reconstructed | denoised | noise | attackers' own | true | PSNR reconstructed | denoised |
|---:|---:|---:|---:|---:|---:|---:|---:|
{images}

![Digits: true, reconstructed and denoised](../pictures/reconstructions.png)

Left: images with one gradient each. Right: images of the first aggregated gradient, below the true images of that
round with which they were matched. The autoencoder was trained on the attackers' own images. It makes illegible
images black. The error of black images is small, so PSNR and the Wasserstein distance overrate the denoised images.
In an aggregated gradient the frequent classes are legible, and the rare ones hardly. Their labels are known
nevertheless.

Measured and written in {minutes:.0f} minutes of one core by `python -m studies.inversion`.
"""


class Single(NamedTuple):
    """Images that are each reconstructed from the gradient of a single image."""

    true: Batch
    found: Batch
    seconds: float

    @property
    def row(self) -> tuple[str, str, str, str]:
        """Mean and minimum PSNR, the number of correct labels, and the mean PSNR of a black image."""
        ratios = psnr(self.found.inputs, self.true.inputs)
        black = psnr(torch.zeros_like(self.true.inputs), self.true.inputs)
        right = int((self.found.labels == self.true.labels).sum())
        return f"{ratios.mean():.1f}", f"{ratios.min():.1f}", f"{right} of {len(ratios)}", f"{black.mean():.1f}"


class Learned(NamedTuple):
    """The learned mixture of a federation, and the true one."""

    true: Batch
    again: Batch
    """Another sample of the true mixture."""
    own: Batch
    found: Batch
    read: Tensor
    """The classes' shares inferred from the last biases."""
    played: tuple[Batch, ...]
    """The images of the first round of each gradient."""
    denoiser: Denoiser
    seconds: float

    @property
    def cleaned(self) -> Batch:
        return Batch(self.denoiser.clean(self.found.inputs), self.found.labels)

    def matched(self, index: int, found: Batch) -> tuple[Tensor, Tensor]:
        """Return the images of one batch, and the true images matched with them."""
        images = found.inputs.split(LEARNING.search.images)[index]
        true = self.played[index].inputs
        return images, true[matches(images, true)]


def single(dataset: Dataset, seed: int, search: GradientInversion) -> Single:
    """Reconstruct random images, each from its gradient at the initial model."""
    model = Model(net := network(LeNet(), dataset), net.initial(stream(seed, "model")))
    rows = stream(seed, "images").choice(len(dataset.train.labels), SINGLE, replace=False)
    true = Batch(pixels(dataset.train.inputs[rows]), dataset.train.labels[rows])
    alone = [
        gradient(net, model.parameters, batch=Batch(*(part[None] for part in each))) for each in zip(*true, strict=True)
    ]
    start = time.process_time()
    found = invert_each(model, torch.stack(alone), shape=dataset.shape, rng=stream(seed, "inversion"), search=search)
    seconds = time.process_time() - start
    images, labels = (torch.cat([getattr(each, name) for each in found]) for name in ("inputs", "labels"))
    return Single(true, Batch(images, labels.argmax(dim=1)), seconds)


def skewed(train: Batch, seed: int) -> Batch:
    """Keep the share of each class given by `KEPT`."""
    chance = torch.from_numpy(stream(seed, "skew").random(len(train.labels)))
    kept = chance < torch.tensor(KEPT)[train.labels]
    return Batch(train.inputs[kept], train.labels[kept])


def scenario(dataset: Dataset, seed: int) -> Scenario:
    """Return the federation whose mixture is learned."""
    federation = Federation(
        network=network(LeNet(), dataset),
        shards=divide(skewed(dataset.train, seed), LabelSkew(q=0.5), clients=CLIENTS, seed=seed),
        test=dataset.test,
        recipe=Recipe(batch=32, lr=0.05),
        seed=seed,
    )
    return Scenario(federation, Mean(), [Attacker(MALICIOUS)])


def mixture(federation: Federation, seed: int, name: str) -> Batch:
    """Draw equally many examples of every client."""
    rngs = [stream(seed, name, client) for client in range(CLIENTS)]
    return flat(federation.shards.draw(range(CLIENTS), rngs, steps=1, size=FROM_EACH))


def flat(drawn: Batch) -> Batch:
    """Merge the dimensions of clients and steps."""
    return Batch(drawn.inputs.flatten(0, 2), drawn.labels.flatten())


def played(federation: Federation, leak: EstimatedGradient) -> Batch:
    """Return the images behind the gradients of a leak's first round."""
    return flat(draw_batches(federation, sample_clients(federation, leak.round), round=leak.round))


def learned(dataset: Dataset, seed: int) -> Learned:
    """Learn the mixture of a federation as its attackers."""
    settled = scenario(dataset, seed)
    federation = settled.federation
    seen = observed_models(settled, (state for state, _ in simulate_rounds(settled, ROUNDS, every=ROUNDS)))
    known = list(estimated_gradients(seen, lr=step_size(federation)))[: LEARNING.batches]
    shards = [federation.shards[client] for client in range(MALICIOUS)]
    own = Batch(*(torch.cat(parts) for parts in zip(*shards, strict=True)))
    start = time.process_time()
    *_, last = LEARNING.reconstruct(federation.network, known, own=own, seed=seed)
    seconds = (time.process_time() - start) / len(known)
    return Learned(
        true=mixture(federation, seed, "true"),
        again=mixture(federation, seed, "again"),
        own=own,
        found=reconstructed(last),
        read=torch.stack([read(federation, leak, own) for leak in known]).mean(dim=0),
        played=tuple(played(federation, leak) for leak in known),
        denoiser=train_denoiser(own.inputs, rng=stream(seed, "denoising")),
        seconds=seconds,
    )


def read(federation: Federation, leak: EstimatedGradient, own: Batch) -> Tensor:
    """Return the shares of the classes inferred from a leak's last biases."""
    model = Model(federation.network, leak.parameters)
    return torch.from_numpy(label_shares(model, leak.gradient, answers=mean_answers(model, own)))


def label_row(seed: int, each: Learned) -> str:
    """Return a row of the table of label distributions."""
    true = each.true.labels.bincount(minlength=len(KEPT)).double() / len(each.true.labels)
    apart = [float((other - true).abs().sum() / 2) for other in (torch.full_like(true, 1 / len(KEPT)), each.read)]
    samples = (each.own, each.found, learned_mixture(each.found, each.own))
    own, found, mixed = (label_error(sample.labels, each.true.labels, classes=len(KEPT)) for sample in samples)
    errors = (apart[0], own, apart[1], found, mixed)
    return line(seed, *(f"{error:.3f}" for error in errors), f"{each.seconds:.1f}")


def image_row(seed: int, each: Learned) -> str:
    """Return a row of the table of images."""
    noise = torch.from_numpy(stream(seed, "noise").random(each.found.inputs.shape, dtype=np.float32))
    samples = (each.found, each.cleaned, Batch(noise, each.found.labels), each.own, each.again)
    distances = [image_distance(sample, each.true, rng=stream(seed, "distance")) for sample in samples]
    ratios = [
        fmean(mean_ratio(*each.matched(index, found)) for index in range(len(each.played))) for found in samples[:2]
    ]
    return line(seed, *(f"{value:.2f}" for value in distances), *(f"{ratio:.1f}" for ratio in ratios))


def mean_ratio(found: Tensor, true: Tensor) -> float:
    return float(psnr(found, true).mean())


def line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def draw(alone: Single, each: Learned) -> bytes:
    """Draw true images, their reconstructions, and the denoised reconstructions below each other."""
    found, true = each.matched(0, each.found)
    spread = torch.linspace(0, len(found) - 1, SHOWN).long()
    true = torch.cat([alone.true.inputs[:SHOWN], true[spread]])
    found = torch.cat([alone.found.inputs[:SHOWN], found[spread]])
    figure = Figure(figsize=(CELL_INCHES * 2 * SHOWN, 3.6 * CELL_INCHES), layout=ConstrainedLayoutEngine())
    rows = {"true": true, "reconstructed": found, "denoised": each.denoiser.clean(found)}
    for half, name, first in zip(figure.subfigures(1, 2), HALVES, (0, SHOWN), strict=True):
        half.suptitle(name, fontsize=9)
        for axes, (kind, images) in zip(half.subplots(3, SHOWN), rows.items(), strict=True):
            axes[0].set_ylabel(kind, fontsize=6)
            show(axes, images[first : first + SHOWN])
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=DPI, metadata={"Software": None})
    return picture.getvalue()


def show(axes: Iterable[Axes], images: Tensor) -> None:
    """Draw each image on its axes."""
    for ax, image in zip(axes, images, strict=True):
        ax.imshow(image[0].numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        ax.set(xticks=[], yticks=[])


def written(models: Mapping[int, Single], variants: Mapping[str, Single], studied: Mapping[int, Learned]) -> str:
    """Return the text of the page."""
    return ABOUT.format(
        single=SINGLE,
        models="\n".join(line(f"seed {seed}", *each.row) for seed, each in models.items()),
        variants="\n".join(line(name, *each.row, f"{each.seconds:.0f}") for name, each in variants.items()),
        clients=CLIENTS,
        kept=", ".join(f"{100 * share:.0f}" for share in KEPT),
        last=MALICIOUS - 1,
        batches=LEARNING.batches,
        labels="\n".join(label_row(seed, each) for seed, each in studied.items()),
        images="\n".join(image_row(seed, each) for seed, each in studied.items()),
        minutes=time.process_time() / 60,
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--docs", type=Path, default=Path("docs"), help="folder for the page and the picture")
    folder = options.parse_args().docs
    torch.set_num_threads(1)
    dataset = load("mnist")
    models = {seed: single(dataset, seed, GradientInversion()) for seed in SEEDS}
    variants = {name: single(dataset, SEEDS[0], search) for name, search in VARIANTS.items()}
    studied = {seed: learned(dataset, seed) for seed in SEEDS}
    picture = draw(models[SEEDS[0]], studied[SEEDS[0]])
    (folder / "pictures" / "reconstructions.png").write_bytes(picture)
    (folder / "results" / "inversion.md").write_text(written(models, variants, studied), encoding="utf-8")


if __name__ == "__main__":
    main()
