"""A published table or figure as code: what to play, what was published, and what is claimed from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import floor
from typing import TYPE_CHECKING, Literal, get_args

from sparring.attacks.learned.trained_attack import located
from sparring.contracts import Defense, limit_of
from sparring.defenses import DEFENSES
from sparring.experiments.analysis.claims import Claim
from sparring.experiments.analysis.frames import Labels
from sparring.experiments.config.sections import Section
from sparring.experiments.sweeps import Plan, plan_sweep
from sparring.experiments.sweeps.axes import replaced
from sparring.experiments.sweeps.sweep_folder import POLICIES
from sparring.registry import build

if TYPE_CHECKING:  # to know how attacks are learned, Stable-Baselines3 is imported
    from sparring.experiments.reproductions.online_training import OnlineTraining

Scale = Literal["smoke", "laptop", "paper"]
SCALES: tuple[Scale, ...] = get_args(Scale)

NO_ATTACK = "none"

Relation = Literal["=", "≈", "<", ">"]


@dataclass(frozen=True)
class Published:
    """What the paper says of a metric in a cell; a number read from words such as "around 50%" is ≈."""

    cell: Labels
    value: float
    relation: Relation = "="
    metric: str = "accuracy"

    def __str__(self) -> str:
        return f"{self.value:.2f}" if self.relation == "=" else f"{self.relation} {self.value:.2f}"


@dataclass(frozen=True)
class Preset:
    """A published table or figure."""

    id: str
    title: str
    source: str
    metrics: tuple[str, ...]
    """What is printed of each cell."""
    document: Callable[[Scale], Section]
    """The sweep that is played."""
    differences: Mapping[Scale, tuple[str, ...]]
    """In what the sweep is another than the paper's."""
    published: Callable[[Scale], tuple[Published, ...]]
    claims: Callable[[Scale], tuple[Claim, ...]]
    rehearsing: "Callable[[Scale, Labels], OnlineTraining] | None" = None
    """How the learned attack of a cell is learned; its file is in the folder that `{policies}` stands for."""

    def __repr__(self) -> str:
        return f"Preset({self.id!r}, {self.title!r})"


def plan_of(preset: Preset, scale: Scale, *, policies: str = POLICIES) -> Plan:
    """Return the plan of a preset's sweep, whose learned attacks are in the folder `policies`."""
    document = replaced(preset.document(scale), {"policies": policies})
    return plan_sweep(document, preset={"id": preset.id, "scale": scale})


def shipped(preset: Preset, scale: Scale) -> str | None:
    """Return where the policies are that come with Sparring, for those who need not train their own."""
    name = f"@{preset.id}-{scale}"
    return name if located(name).with_suffix("").is_dir() else None


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

    The rules reckon with the true share of malicious clients, or as much of it as all of them allow.
    """
    federation = base["federation"]
    share = assumed_share(
        malicious / federation["clients"],
        sampled=federation["sampled"],
        rules=[bundle["defense"] for bundle in rules.values()],
    )
    played = {name: {"attack": {**attack, "malicious": malicious}} for name, attack in attacks.items()}
    return {
        "base": {**base, "threat": {"assumed_malicious": share}},
        "axes": {
            "partition": {name: {"data.partition": section} for name, section in partitions.items()},
            "defense": rules,
            "attack": {NO_ATTACK: {"attack": {"name": "none"}}, **played},
            "seed": list(range(seeds)),
        },
    }


def assumed_share(wanted: float, *, sampled: int, rules: Iterable[Section]) -> float:
    """Return the share of malicious updates that all rules of a table reckon with: no more than each of them allows."""
    built: list[Defense] = [build("defense", DEFENSES, rule) for rule in rules]
    allowed = min(limit_of(rule, sampled) for rule in built) / sampled
    return min(wanted, floor(1000 * allowed) / 1000)


def cells(**labels: Iterable[str]) -> tuple[dict[str, str], ...]:
    """Return the cells of all combinations of labels, given those of each axis."""
    return tuple(dict(zip(labels, combination, strict=True)) for combination in product(*labels.values()))
