"""The demonstration: federations that learn handwritten digits under attacks, with several rules."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import product
from math import floor
from typing import Any, NamedTuple

from sparring.errors import RunError
from sparring.experiments.analysis.plots import Curve
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.config.parse import parse_federation
from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.federation import train
from sparring.training.backends.threaded import torch_threads

CLIENTS, MALICIOUS = 50, 10
"""A fifth of the clients is malicious, which equals the share that the rules assume."""
ROUNDS, EVERY = 100, 5

NO_ATTACK = "no attack"
ATTACKS: Mapping[str, Mapping[str, Any]] = {
    NO_ATTACK: {"name": "none"},
    "IPM": {"name": "ipm", "scale": 5.0, "malicious": MALICIOUS},
    "LMP": {"name": "lmp", "malicious": MALICIOUS},
}
UNDEFENDED = "FedAvg"
RULES = {UNDEFENDED: "mean", "median": "median", "Krum": "krum", "centered clipping": "centered_clipping"}


class DemoCell(NamedTuple):
    """A run of the demonstration."""

    attack: str
    rule: str


CELLS = tuple(DemoCell(*pair) for pair in product(ATTACKS, RULES))


def document(cell: DemoCell, rounds: int = ROUNDS) -> dict[str, Any]:
    """Return the configuration of a run."""
    return {
        "federation": {"clients": CLIENTS, "rounds": rounds},
        "attack": ATTACKS[cell.attack],
        "defense": {"name": RULES[cell.rule]},
        "evaluation": {"every": EVERY},
    }


def run_cell(cell: DemoCell, rounds: int = ROUNDS) -> Curve:
    """Execute a run on one thread, and return its rounds and accuracies."""
    config = parse_federation(document(cell, rounds))
    with torch_threads(1):
        records = train(build_scenario(config, load_dataset(config)), rounds, every=EVERY).records
    return [(record.round, record.accuracy) for record in records if record.accuracy is not None]


def run_cells(rounds: int = ROUNDS) -> Iterator[tuple[DemoCell, Curve]]:
    """Execute all runs with one process per core, and yield each result when it is available."""
    workers = LocalWorkers(len(os.sched_getaffinity(0)))
    with closing(workers.calls(partial(run_cell, rounds=rounds), CELLS)) as curves:
        for index, curve in curves:
            if isinstance(curve, RunError):
                raise RunError("a process of the demonstration was killed; free some memory, and run it again")
            yield CELLS[index], curve


def summarize(accuracies: Mapping[DemoCell, float]) -> str:
    """Summarize the final accuracies in one sentence."""
    attacks = [attack for attack in ATTACKS if attack != NO_ATTACK]
    worst = min(attacks, key=lambda attack: accuracies[DemoCell(attack, UNDEFENDED)])
    kept = {rule: min(accuracies[DemoCell(attack, rule)] for attack in attacks) for rule in RULES}
    best = max(kept, key=lambda rule: kept[rule])
    clean, broken = (f"{accuracies[DemoCell(attack, UNDEFENDED)]:.0%}" for attack in (NO_ATTACK, worst))
    return (
        f"With {MALICIOUS} of {CLIENTS} clients malicious, {worst} lowers the accuracy of {UNDEFENDED} from {clean} "
        f"to {broken};\n{best} keeps at least {floor(100 * kept[best])}% under every attack shown."
    )
