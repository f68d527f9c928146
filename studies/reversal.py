"""Trigger reversal: `python -m studies.reversal` executes missing runs, writes the page and draws its picture."""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import torch
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor

from sparring.arrays import Batch
from sparring.attacks import PoisonedTraining
from sparring.contracts import Model
from sparring.data import Dataset
from sparring.experiments import load_model
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.sweeps import Cell, plan_sweep, run_folder
from sparring.federation.evaluation import reach
from sparring.inversion import ReversedTrigger, Unlearning, anomaly_index, reverse_triggers, suspicious
from sparring.random import stream
from sparring.training import evaluate, keep_freed_memory
from studies.table import run_missing

BACKDOOR = PoisonedTraining()
"""The backdoor for evaluating the models, with the same trigger and target as the attack."""
CELL_INCHES, DPI = 0.75, 120

ABOUT = """# Trigger reversal on MNIST

This page measures whether [Neural Cleanse](../trigger-reversal.md) finds the backdoor in five models with a
backdoor and five without.

The models were trained by 250 rounds of FedAvg on MNIST (`lenet`, 100 clients, 10 a round, label skew q = 0.5,
batch 32, lr 0.05): five without attack, and five with BFL by 5 clients (DBA's four bars, 16 pixels; target 2; all
images to which the backdoor applies are poisoned). The server holds 100 training images. It knows neither the
trigger nor whether there is one. All settings are the defaults.

**The true target, and no other class, is suspicious in {caught} of {attacked} backdoored models; no class is in {quiet}
of {clean} clean ones.**

| attack | seed | accuracy | backdoor accuracy | suspicious | smallest mask | its class | anomaly index | mask of 2 |
|---|---:|---:|---:|---|---:|---:|---:|---:|
{rows}

The size of a mask is the sum of its values, in pixels. The anomaly index is that of the smallest mask. A class is
suspicious if its mask is smaller than the median and its index is above 2. The search for the triggers of all ten
classes of a model took {least:.0f} to {most:.0f} seconds of one core.

![The true trigger, and for each backdoored model the trigger that was found](../pictures/reversed-triggers.png)

## Unlearning

Accuracy / backdoor accuracy on the test images after fifty steps on the 100 images, a fifth of which carries the
reversed trigger with its true label, and after the same fifty steps without any trigger.

| seed | before | unlearned | fine-tuned alone |
|---:|---:|---:|---:|
{unlearned}

Unlearning removes the backdoor, at a cost in accuracy, since it trains on few images. Fine-tuning alone leaves most
of the backdoor.

Measured and written by `python -m studies.reversal --runs runs/trigger-reversal --jobs 1`.
"""


class Measured(NamedTuple):
    """The accuracy of a model, and the share of triggered images that it classifies as the target."""

    accuracy: float
    backdoor: float

    def __str__(self) -> str:
        return f"{self.accuracy:.3f} / {self.backdoor:.3f}"


class Unmarked(NamedTuple):
    """A trigger without effect, for fine-tuning as the comparison with unlearning."""

    def stamp(self, images: Tensor) -> Tensor:
        return images


class Case(NamedTuple):
    """A model of the study: its reversed triggers, and its accuracies before and after unlearning."""

    labels: Mapping[str, str]
    triggers: Sequence[ReversedTrigger]
    seconds: float
    before: Measured
    unlearned: Measured
    tuned: Measured

    @property
    def is_attacked(self) -> bool:
        return self.labels["attack"] != "none"

    @property
    def suspicious(self) -> list[int]:
        return [trigger.target for trigger in suspicious(self.triggers)]


def document() -> dict[str, Any]:
    """Return the sweep: five models without attack, and five with a backdoor."""
    return {
        "base": {
            "data": {"name": "mnist", "root_size": 100},
            "model": {"name": "lenet"},
            "federation": {"clients": 100, "sampled": 10, "rounds": 250, "batch": 32, "lr": 0.05},
            "evaluation": {"every": 50},
        },
        "axes": {
            "attack": {
                "none": {"attack": {"name": "none"}},
                "BFL": {"attack": {"name": "bfl", "malicious": 5, "ratio": 1.0}},
            },
            "seed": [0, 1, 2, 3, 4],
        },
    }


def cases(cells: Iterable[Cell], folder: Path) -> Iterator[Case]:
    """Reverse triggers of the models of the sweep."""
    dataset: Dataset | None = None
    for cell in cells:
        dataset = load_dataset(cell.config) if dataset is None else dataset
        root = build_scenario(cell.config, dataset).federation.root
        assert root is not None
        yield case(cell, load_model(run_folder(folder, cell.digest)), root=root, test=dataset.test)


def case(cell: Cell, model: Model, *, root: Batch, test: Batch) -> Case:
    """Reverse the triggers of one model, unlearn suspicious ones, and fine-tune without a trigger for comparison."""
    start = time.process_time()
    triggers = reverse_triggers(model, root, rng=stream(cell.config.seed, "reversal"))
    seconds = time.process_time() - start
    models = [
        Unlearning().unlearn(model, carried, root=root, rng=stream(cell.config.seed, "unlearning"))
        for carried in ((), suspicious(triggers), [Unmarked()])
    ]
    return Case(cell.labels, triggers, seconds, *(measured(each, on=test) for each in models))


def measured(model: Model, *, on: Batch) -> Measured:
    return Measured(evaluate(model.network, model.parameters, on=on).accuracy, reach(model, BACKDOOR, on=on).meant)


def row(each: Case) -> str:
    """Return a row of the first table."""
    norms = torch.tensor([trigger.norm for trigger in each.triggers])
    least = int(norms.argmin())
    found = ", ".join(map(str, each.suspicious)) or "–"
    facts = (each.labels["attack"], each.labels["seed"], f"{each.before.accuracy:.3f}", f"{each.before.backdoor:.3f}")
    index, target = f"{anomaly_index(norms)[least]:.1f}", f"{norms[BACKDOOR.target]:.1f}"
    return f"| {' | '.join((*facts, found, f'{norms[least]:.1f}', str(least), index, target))} |"


def written(studied: Sequence[Case]) -> str:
    """Return the text of the page."""
    attacked = [each for each in studied if each.is_attacked]
    clean = [each for each in studied if not each.is_attacked]
    seconds = [each.seconds for each in studied]
    return ABOUT.format(
        caught=sum(each.suspicious == [BACKDOOR.target] for each in attacked),
        attacked=len(attacked),
        quiet=sum(not each.suspicious for each in clean),
        clean=len(clean),
        rows="\n".join(map(row, studied)),
        least=min(seconds),
        most=max(seconds),
        unlearned="\n".join(
            f"| {each.labels['seed']} | {each.before} | {each.unlearned} | {each.tuned} |" for each in attacked
        ),
    )


def draw(triggers: Mapping[str, ReversedTrigger], *, shape: Sequence[int]) -> bytes:
    """Draw the true trigger and the reversed ones: the masks, and below them the patterns on black."""
    figure = Figure(figsize=(CELL_INCHES * (2 + len(triggers)), 3 * CELL_INCHES), layout=ConstrainedLayoutEngine())
    grid = figure.subplots(2, 1 + len(triggers), squeeze=False)
    bare = torch.zeros(1, *shape)
    true = BACKDOOR.trigger.stamp(bare)[0]
    columns = {"true": (true, true)} | {name: (each.mask, each.stamp(bare)[0]) for name, each in triggers.items()}
    for axes, (name, pictures) in zip(grid.T, columns.items(), strict=True):
        for ax, picture in zip(axes, pictures, strict=True):
            ax.imshow(picture[0].numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
        axes[0].set_title(name, fontsize=9)
    for ax, name in zip(grid[:, 0], ("mask", "on black"), strict=True):
        ax.set_ylabel(name, fontsize=9)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=DPI, metadata={"Software": None})
    return picture.getvalue()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=Path, default=Path("runs/trigger-reversal"), help="folder of the sweep")
    options.add_argument("--docs", type=Path, default=Path("docs"), help="folder for the page and the picture")
    options.add_argument("--jobs", type=int, default=1, help="number of worker processes")
    given = options.parse_args()
    plan = plan_sweep(document())
    if run_missing(plan, given.runs, jobs=given.jobs).failures:
        sys.exit(f"no page is written: runs failed, see {given.runs / 'failures'}")
    keep_freed_memory()
    torch.set_num_threads(1)
    studied = list(cases(plan.cells, given.runs))
    found = {f"seed {each.labels['seed']}": each.triggers[BACKDOOR.target] for each in studied if each.is_attacked}
    shape = next(iter(found.values())).pattern.shape
    (given.docs / "pictures" / "reversed-triggers.png").write_bytes(draw(found, shape=shape))
    (given.docs / "results" / "trigger-reversal.md").write_text(written(studied), encoding="utf-8")


if __name__ == "__main__":
    main()
