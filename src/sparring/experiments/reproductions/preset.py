"""A published table or figure as code: its sweep, its published values, and its claims."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import floor
from typing import TYPE_CHECKING, Literal, get_args

from sparring.contracts import Defense, limit_of
from sparring.defenses import DEFENSES
from sparring.experiments.analysis.claims import Claim
from sparring.experiments.analysis.frames import Labels
from sparring.experiments.config.sections import Section
from sparring.experiments.sweeps import Plan, plan_sweep
from sparring.experiments.sweeps.axes import replace_words
from sparring.experiments.sweeps.sweep_folder import POLICIES
from sparring.policies.saved_policy import resolve_policy_path
from sparring.registry import build

if TYPE_CHECKING:  # the module imports Stable-Baselines3
    from sparring.experiments.reproductions.online_training import OnlineTraining

Scale = Literal["smoke", "laptop", "paper"]
SCALES: tuple[Scale, ...] = get_args(Scale)

NO_ATTACK = "none"

Relation = Literal["=", "≈", "<", ">"]


@dataclass(frozen=True)
class Published:
    """The published value of a metric in a cell; values from words such as "around 50%" have the relation ≈."""

    cell: Labels
    value: float
    relation: Relation = "="
    metric: str = "accuracy"
    std: float | None = None
    """The published standard deviation over runs, if any."""

    def __str__(self) -> str:
        if self.std is not None:
            return f"{self.value:.3f} ± {self.std:.3f}"
        return f"{self.value:.2f}" if self.relation == "=" else f"{self.relation} {self.value:.2f}"


@dataclass(frozen=True)
class Preset:
    """A published table or figure."""

    id: str
    title: str
    source: str
    metrics: tuple[str, ...]
    """The printed metrics of each cell."""
    document: Callable[[Scale], Section]
    """Returns the sweep."""
    differences: Mapping[Scale, tuple[str, ...]]
    """The differences between the sweep and the paper."""
    published: Callable[[Scale], tuple[Published, ...]]
    claims: Callable[[Scale], tuple[Claim, ...]]
    training: "Callable[[Scale, Labels], OnlineTraining] | None" = None
    """Returns the settings for training the learned attack of a cell; `{policies}` denotes the folder of its file."""

    def __repr__(self) -> str:
        return f"Preset({self.id!r}, {self.title!r})"


def plan_preset(preset: Preset, scale: Scale, *, policies: str = POLICIES) -> Plan:
    """Return the plan of a preset's sweep, with its learned attacks in the folder `policies`."""
    document = replace_words(preset.document(scale), {"policies": policies})
    return plan_sweep(document, preset={"id": preset.id, "scale": scale})


def find_shipped(preset: Preset, scale: Scale) -> str | None:
    """Return the reference to the pre-trained policies of a preset; None if there are none."""
    name = f"@{preset.id}-{scale}"
    return name if resolve_policy_path(name).with_suffix("").is_dir() else None


def attack_grid(
    base: Section,
    *,
    partitions: Mapping[str, Section],
    rules: Mapping[str, Section],
    attacks: Mapping[str, Section],
    malicious: int,
    seeds: int,
) -> Section:
    """Return the sweep of rules, each a bundle of settings, by attacks and no attack, on each partition.

    The rules assume the true share of malicious clients, or the largest share that all of them allow.
    """
    federation = base["federation"]
    share = assumed_share(
        malicious / federation["clients"],
        sampled=federation["sampled"],
        rules=[bundle["defense"] for bundle in rules.values()],
    )
    attacked = {name: {"attack": {**attack, "malicious": malicious}} for name, attack in attacks.items()}
    return {
        "base": {**base, "threat": {"assumed_malicious": share}},
        "axes": {
            "partition": {name: {"data.partition": section} for name, section in partitions.items()},
            "defense": rules,
            "attack": {NO_ATTACK: {"attack": {"name": "none"}}, **attacked},
            "seed": list(range(seeds)),
        },
    }


def assumed_share(wanted: float, *, sampled: int, rules: Iterable[Section]) -> float:
    """Return the share of malicious updates that all rules of a table assume: at most the limit of each rule."""
    built: list[Defense] = [build("defense", DEFENSES, rule) for rule in rules]
    allowed = min(limit_of(rule, sampled) for rule in built) / sampled
    return min(wanted, floor(1000 * allowed) / 1000)


def make_cells(**labels: Iterable[str]) -> tuple[dict[str, str], ...]:
    """Return the cells of all combinations of labels, given the labels on each axis."""
    return tuple(dict(zip(labels, combination, strict=True)) for combination in product(*labels.values()))
