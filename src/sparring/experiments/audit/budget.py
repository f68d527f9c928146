"""The budget of an audit: time is measured once and converted into counts, and the folder keeps the counts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from math import ceil, log2
from pathlib import Path

from sparring.data import Dataset
from sparring.errors import ConfigError
from sparring.experiments.audit.contenders import units_in_sequence
from sparring.experiments.audit.overheads import CAREFUL, LEAST, Overheads
from sparring.experiments.audit.references import reference_rules
from sparring.experiments.audit.request import NO_ATTACK, AuditRequest
from sparring.experiments.audit.training import SELECTION_EPISODES, seconds_per_step
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.config.describe import format_duration
from sparring.experiments.config.memory import translate_exhaustion
from sparring.experiments.config.sections import Section
from sparring.experiments.jobs.recorded_plan import PlanFile
from sparring.experiments.runs.cost import estimate_seconds
from sparring.experiments.runs.training import build_training
from sparring.training.backends.threaded import torch_threads

NAME = "audit.json"
FILE = PlanFile(NAME, "sparring_audit", 2, "audit")
TRAINING, ATTACKS, REFERENCES, BREAKING = "policies", "attacks", "references", "breaking"
"""The stages in their order, by the names of their folders."""
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BREAKING_SEEDS = 3
"""The number of seeds for deciding whether a number of clients halves the accuracy."""
SPENT = 0.85
"""The planned share of the budget: runs take longer on a busy machine than measured."""
LEAST_SHARE = 0.25
"""The minimum share of the budget for training."""
FEWEST_EPISODES = 32
"""Episodes of a search's first generation."""


@dataclass(frozen=True)
class AuditPlan:
    """The counts that fit into a budget on the machine where it was measured."""

    unit: int
    """Training steps of a policy in a unit of the successive halving (`contenders.RUNGS`)."""
    seconds: float
    """The estimated time of the whole audit."""
    stages: Mapping[str, float] = field(default_factory=dict)
    """The estimated seconds of each stage; folders of earlier versions lack them."""


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
    recorded = FILE.read(folder, request.digest)
    return None if recorded is None else AuditPlan(**recorded)


def write_plan(folder: Path, request: AuditRequest, *, effort: AuditPlan) -> None:
    """Record the request and the plan of an audit."""
    FILE.write(folder, request.digest, asked=request.document, plugins=request.plugins, plan=asdict(effort))


def assume_overheads(estimate: float) -> Overheads:
    """Return careful overheads, without a measurement."""
    return CAREFUL


def measure_plan(
    request: AuditRequest, workers: int, overheads: Callable[[float], Overheads] = assume_overheads
) -> AuditPlan:
    """Time a few rounds of every run, and convert the budget into counts: training gets what the runs do not need.

    `overheads` measures what runs and stages cost beside the rounds, given the time of a run without an attack. A
    budget that cannot be sufficient is rejected as soon as the measurements so far show it.
    """
    runs: dict[str, float] = {}
    costs = LEAST
    _refuse_early(request, runs, costs, workers=workers)
    with translate_exhaustion(), torch_threads(request.config.execution.threads):
        dataset = load_dataset(request.config, request.catalogues)
        for name, section in _list_attacks(request).items():
            runs[name] = _run_seconds(request, section, dataset=dataset)
            _refuse_early(request, runs, costs, workers=workers)
            costs = overheads(runs[name]) if name == NO_ATTACK else costs
        benign = request.run(request.honest, request.seed)
        scenario = build_scenario(benign, dataset, catalogues=request.catalogues)
        step = seconds_per_step(scenario, rounds=benign.federation.rounds, goal=request.goal)
    units = units_in_sequence(workers, request.goal.rungs)
    attacked = runs[NO_ATTACK] + step * request.config.federation.rounds
    stages = _stage_seconds(request, runs, costs, learned=attacked, workers=workers)
    stages[TRAINING] += step * benign.federation.rounds * SELECTION_EPISODES * units
    return plan_audit(
        request.budget,
        stages=stages,
        step=step * units,
        fewest=FEWEST_EPISODES * benign.federation.rounds,
    )


def plan_audit(budget: float, *, stages: Mapping[str, float], step: float, fewest: int) -> AuditPlan:
    """Return the plan whose runs and training fit into the budget.

    `stages` are the seconds of each stage without the training itself, `step` is the time of one step of every unit,
    and `fewest` the smallest number of steps of a unit.
    """
    playing = sum(stages.values())
    left = SPENT * budget - playing
    unit = int(left / step)
    if left < LEAST_SHARE * budget or unit < fewest:
        raise _too_small(budget, f"about {format_duration(playing)}", needed=_needed(playing, fewest * step))
    planned = {**stages, TRAINING: stages.get(TRAINING, 0.0) + unit * step}
    return AuditPlan(
        unit, round(sum(planned.values()), 1), {stage: round(seconds, 1) for stage, seconds in planned.items()}
    )


def count_tries(request: AuditRequest) -> int:
    """Return the number of client counts tried in the search for the smallest that halves the accuracy."""
    return 1 + ceil(log2(max(2, request.config.federation.clients // 2)))


def _refuse_early(request: AuditRequest, runs: Mapping[str, float], costs: Overheads, *, workers: int) -> None:
    """Reject a budget that is too small even if every run that is not timed yet is as short as a run can be."""
    # Malicious clients that craft their updates need not train.
    benign = 1 - request.malicious / request.config.federation.clients
    least = benign * min(runs.values(), default=0.0)
    bounds = {name: runs.get(name, least) for name in _list_attacks(request)}
    playing = sum(_stage_seconds(request, bounds, costs, learned=least, workers=workers).values())
    if (SPENT - LEAST_SHARE) * request.budget < playing:
        raise _too_small(
            request.budget, f"at least {format_duration(playing)}", needed=_needed(playing), beyond=" or more"
        )


def _needed(playing: float, training: float = 0.0) -> float:
    """Return the budget in seconds that is sufficient for the runs and for a training."""
    return max(playing / (SPENT - LEAST_SHARE), (playing + training) / SPENT)


def _too_small(budget: float, playing: str, *, needed: float, beyond: str = "") -> ConfigError:
    return ConfigError(
        f"budget is {format_budget(budget)}; all runs take {playing} here, and training needs its share: use --budget "
        f"{round_up_budget(needed)}{beyond}, fewer --seeds or fewer federation.rounds"
    )


def round_up_budget(seconds: float) -> str:
    """Round a budget up to whole minutes, from two hours on to whole hours."""
    unit = UNITS["m"] if seconds <= 2 * UNITS["h"] else UNITS["h"]
    return format_budget(ceil(seconds / unit) * unit)


def _stage_seconds(
    request: AuditRequest, runs: Mapping[str, float], costs: Overheads, *, learned: float, workers: int
) -> dict[str, float]:
    """Return the time of each stage with all its runs and overheads, but without training; `runs` lack overheads."""
    runs, learned = {name: costs.run + seconds for name, seconds in runs.items()}, costs.run + learned
    worst = max(runs.values())
    measured = request.seeds * (sum(runs.values()) + (len(request.goal.contenders) + 1) * learned)
    compared = BREAKING_SEEDS * len(reference_rules(request)) * (runs[NO_ATTACK] + worst + learned)
    broken = BREAKING_SEEDS * (count_tries(request) * worst + learned)
    return {
        TRAINING: costs.stage * len(request.goal.rungs),
        ATTACKS: costs.stage + measured / workers,
        REFERENCES: costs.stage + compared / workers,
        BREAKING: costs.stage * (1 + count_tries(request)) + broken / workers,
    }


def _list_attacks(request: AuditRequest) -> dict[str, Section]:
    """Return the attacks whose runs are timed by their labels, no attack first: its runs are the cheapest."""
    return {NO_ATTACK: request.honest, **request.attacks}


def _run_seconds(request: AuditRequest, section: Section, *, dataset: Dataset) -> float:
    """Return the time of the rounds of a run under an attack."""
    config = request.run(section, request.seed)
    return estimate_seconds(build_training(config, dataset, catalogues=request.catalogues))
