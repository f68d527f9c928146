"""The budget of an audit: time is measured once and converted into counts, and the folder keeps the counts."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil, log2
from pathlib import Path

from sparring.data import Dataset
from sparring.errors import ConfigError
from sparring.experiments.audit.contenders import units_in_sequence
from sparring.experiments.audit.request import NO_ATTACK, AuditRequest
from sparring.experiments.audit.training import SELECTION_EPISODES, seconds_per_step
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.config.describe import format_duration
from sparring.experiments.config.memory import translate_exhaustion
from sparring.experiments.jobs.atomic_files import read_json, write_json
from sparring.experiments.runs.cost import estimate_seconds
from sparring.training.backends.threaded import torch_threads

NAME = "audit.json"
FORMAT = 2
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BREAKING_SEEDS = 3
"""The number of seeds for deciding whether a number of clients halves the accuracy."""
SPENT = 0.85
"""The planned share of the budget: runs take longer on a busy machine than measured."""
LEAST_SHARE = 0.25
"""The minimum share of the budget for training."""
FEWEST_EPISODES = 32
"""Episodes of a search's first generation."""
PER_RUN, PER_STAGE = 0.4, 6.0
"""Overhead in seconds per run, and per stage for starting the workers."""


@dataclass(frozen=True)
class AuditPlan:
    """The counts that fit into a budget on the machine where it was measured."""

    unit: int
    """Training steps of a policy in a unit of the successive halving (`contenders.RUNGS`)."""
    seconds: float
    """The estimated time of the whole audit."""


def read_budget(text: str) -> float:
    """Parse a budget such as `90s`, `10m` or `1.5h` into seconds."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd])", text)
    if found is None or float(found[1]) == 0:
        raise ConfigError(f"budget is {text!r}; write it as in 90s, 10m or 1.5h")
    return float(found[1]) * UNITS[found[2]]


def format_budget(seconds: float) -> str:
    """Format a budget in the syntax of `read_budget`."""
    unit = next((unit for unit in "hms" if seconds % UNITS[unit] == 0), "s")
    return f"{seconds / UNITS[unit]:.15g}{unit}"


def read_plan(folder: Path, request: AuditRequest) -> AuditPlan | None:
    """Return the plan recorded in an audit's folder; the folder of another audit is rejected."""
    content = read_json(folder / NAME)
    if not isinstance(content, dict) or content.get("sparring_audit") != FORMAT:
        return None
    if content["digest"] != request.digest:
        raise ConfigError(f"{folder} holds another audit; choose another folder")
    return AuditPlan(**content["effort"])


def write_plan(folder: Path, request: AuditRequest, *, effort: AuditPlan) -> None:
    """Record the request and the plan of an audit."""
    content = {
        "sparring_audit": FORMAT,
        "digest": request.digest,
        "asked": request.document,
        "plugins": request.plugins,
        "effort": asdict(effort),
    }
    write_json(folder / NAME, content)


def measure_plan(request: AuditRequest, workers: int) -> AuditPlan:
    """Time a few rounds of every run, and convert the budget into counts: training gets what the runs do not need."""
    with translate_exhaustion(), torch_threads(request.config.execution.threads):
        dataset = load_dataset(request.config, request.catalogues)
        runs = _run_seconds(request, dataset)
        benign = request.run(request.honest, request.seed)
        scenario = build_scenario(benign, dataset, catalogues=request.catalogues)
        step = seconds_per_step(scenario, rounds=benign.federation.rounds, goal=request.goal)
    units = units_in_sequence(workers, request.goal.rungs)
    attacked = runs[NO_ATTACK] + step * request.config.federation.rounds
    playing = _total_run_seconds(request, runs, learned=attacked) / workers + _startup_seconds(request)
    selecting = step * benign.federation.rounds * SELECTION_EPISODES * units
    return plan_audit(
        request.budget,
        playing=playing + selecting,
        step=step * units,
        fewest=FEWEST_EPISODES * benign.federation.rounds,
    )


def plan_audit(budget: float, *, playing: float, step: float, fewest: int) -> AuditPlan:
    """Return the plan whose runs and training fit into the budget.

    `step` is the time of one step of every unit, and `fewest` the smallest number of steps of a unit.
    """
    left = SPENT * budget - playing
    unit = int(left / step)
    if left < LEAST_SHARE * budget or unit < fewest:
        needed = max(playing / (SPENT - LEAST_SHARE), (playing + fewest * step) / SPENT)
        raise ConfigError(
            f"budget is {format_budget(budget)}; all runs take about {format_duration(playing)} here, and training "
            f"needs its share: use --budget {_round_up(needed)}, fewer --seeds or fewer federation.rounds"
        )
    return AuditPlan(unit, round(playing + unit * step, 1))


def _round_up(seconds: float) -> str:
    """Round a budget up to whole minutes, from two hours on to whole hours."""
    unit = UNITS["m"] if seconds <= 2 * UNITS["h"] else UNITS["h"]
    return format_budget(ceil(seconds / unit) * unit)


def _total_run_seconds(request: AuditRequest, runs: Mapping[str, float], *, learned: float) -> float:
    """Return the total time of all runs in sequence."""
    crafted = request.seeds * sum(runs.values())
    trained = (len(request.goal.contenders) + 1) * request.seeds * learned  # one policy each, and that of TD3
    broken = BREAKING_SEEDS * (_count_tries(request) * max(runs.values()) + learned)
    return crafted + trained + broken


def _startup_seconds(request: AuditRequest) -> float:
    """Return the total time for starting workers."""
    return PER_STAGE * (1 + len(request.goal.rungs) + _count_tries(request))


def _count_tries(request: AuditRequest) -> int:
    """Return the number of client counts tried in the search for the smallest that halves the accuracy."""
    return 1 + ceil(log2(max(2, request.config.federation.clients // 2)))


def _run_seconds(request: AuditRequest, dataset: Dataset) -> dict[str, float]:
    """Return the time of a run under each attack."""
    attacks = {NO_ATTACK: request.honest, **request.attacks}
    runs = {name: request.run(section, request.seed) for name, section in attacks.items()}
    return {
        name: PER_RUN + estimate_seconds(config, build_scenario(config, dataset, catalogues=request.catalogues))
        for name, config in runs.items()
    }
