"""How much of everything an audit does: time is measured once, turned into counts, and the counts are kept."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil, log2
from pathlib import Path

from sparring.data import Dataset
from sparring.errors import ConfigError
from sparring.experiments.audit.request import NO_ATTACK, AuditRequest
from sparring.experiments.audit.training import seconds_per_step
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.config.describe import format_duration
from sparring.experiments.config.memory import explaining_exhaustion
from sparring.experiments.jobs.atomic_files import read_json, write_json
from sparring.experiments.runs.cost import run_seconds
from sparring.training.backends.threaded import torch_threads

NAME = "audit.json"
FORMAT = 1
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
POLICIES = (2, 4)
"""The fewest policies that are trained, since one may have learned badly, and the most."""
BREAKING_SEEDS = 3
"""Seeds by which it is judged whether a number of clients halves the accuracy."""
SPENT = 0.85
"""The share of the budget that is planned: measured times are short of those on a machine that is busy."""
LEAST_SHARE = 0.25
"""The share of the budget that training gets at least."""
FEWEST_STEPS = 1000
PER_RUN, PER_STAGE = 0.4, 6.0
"""Seconds for what comes before and after the rounds of a run, and for the start of the workers."""


@dataclass(frozen=True)
class AuditPlan:
    """What a budget buys on the machine that it was measured on."""

    policies: int
    steps: int
    """Steps of training, each policy's own."""
    seconds: float
    """How long all of it will take, as far as that can be told."""


def read_budget(text: str) -> float:
    """Return the seconds that a budget such as `90s`, `10m` or `1.5h` stands for."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd])", text)
    if found is None or float(found[1]) == 0:
        raise ConfigError(f"budget is {text!r}; write it as in 90s, 10m or 1.5h")
    return float(found[1]) * UNITS[found[2]]


def written_budget(seconds: float) -> str:
    """Write a budget as it is read."""
    unit = next((unit for unit in "hms" if seconds % UNITS[unit] == 0), "s")
    return f"{seconds / UNITS[unit]:.15g}{unit}"


def read_plan(folder: Path, request: AuditRequest) -> AuditPlan | None:
    """Return the effort that an audit was begun with; another audit's folder is refused."""
    content = read_json(folder / NAME)
    if not isinstance(content, dict) or content.get("sparring_audit") != FORMAT:
        return None
    if content["digest"] != request.digest:
        raise ConfigError(f"{folder} holds the audit of something else; choose another folder")
    return AuditPlan(**content["effort"])


def write_plan(folder: Path, request: AuditRequest, *, effort: AuditPlan) -> None:
    """Write down what is audited, and with which effort."""
    content = {
        "sparring_audit": FORMAT,
        "digest": request.digest,
        "asked": request.document,
        "plugins": request.plugins,
        "effort": asdict(effort),
    }
    write_json(folder / NAME, content)


def measure_plan(request: AuditRequest, workers: int) -> AuditPlan:
    """Play a few rounds of everything, and turn the budget into counts: training gets what the runs leave of it."""
    with explaining_exhaustion(), torch_threads(request.config.execution.threads):
        dataset = load_dataset(request.config, request.catalogues)
        runs = _run_seconds(request, dataset)
        benign = request.run({"name": NO_ATTACK}, request.seed)
        scenario = build_scenario(benign, dataset, catalogues=request.catalogues)
        step = seconds_per_step(scenario, rounds=benign.federation.rounds)
    policies = min(max(workers, POLICIES[0]), POLICIES[1])
    attacked = runs[NO_ATTACK] + step * request.config.federation.rounds
    playing = _playing_seconds(request, runs, learned=attacked, policies=policies) / workers + _waiting(request)
    return plan_audit(request.budget, playing=playing, step=step * ceil(policies / workers), policies=policies)


def plan_audit(budget: float, *, playing: float, step: float, policies: int) -> AuditPlan:
    """Return how many steps fit into what is left when everything is played; `step` is that of all policies."""
    left = SPENT * budget - playing
    steps = int(left / step)
    if left < LEAST_SHARE * budget or steps < FEWEST_STEPS:
        needed = max(playing / (SPENT - LEAST_SHARE), (playing + FEWEST_STEPS * step) / SPENT)
        raise ConfigError(
            f"budget is {written_budget(budget)}; all runs take about {format_duration(playing)} here, and training "
            f"needs its part: use --budget {_enough(needed)}, fewer --seeds or fewer federation.rounds"
        )
    return AuditPlan(policies, steps, round(playing + steps * step, 1))


def _enough(seconds: float) -> str:
    """Return a budget in whole minutes, from two hours on in whole hours."""
    unit = UNITS["m"] if seconds <= 2 * UNITS["h"] else UNITS["h"]
    return written_budget(ceil(seconds / unit) * unit)


def _playing_seconds(request: AuditRequest, runs: Mapping[str, float], *, learned: float, policies: int) -> float:
    """Return the seconds of all runs, one after another."""
    crafted = request.seeds * sum(runs.values())
    trained = policies * (policies + request.seeds) * learned
    broken = BREAKING_SEEDS * (_tries(request) * max(runs.values()) + learned)
    return crafted + trained + broken


def _waiting(request: AuditRequest) -> float:
    """Return the seconds in which workers start."""
    return PER_STAGE * (4 + _tries(request))


def _tries(request: AuditRequest) -> int:
    """Return how many numbers of clients are tried until the one that halves the accuracy is found."""
    return 1 + ceil(log2(max(2, request.config.federation.clients // 2)))


def _run_seconds(request: AuditRequest, dataset: Dataset) -> dict[str, float]:
    """Return how long a run takes under each attack."""
    attacks = {NO_ATTACK: {"name": NO_ATTACK}, **request.attacks}
    runs = {name: request.run(section, request.seed) for name, section in attacks.items()}
    return {
        name: PER_RUN + run_seconds(config, build_scenario(config, dataset, catalogues=request.catalogues))
        for name, config in runs.items()
    }
