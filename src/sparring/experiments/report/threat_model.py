"""The threat model of a study, in words."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sparring.experiments.config.describe import format_attacks, format_classes, format_member
from sparring.experiments.config.schema import Config
from sparring.experiments.report.study import Study, run_of
from sparring.experiments.runs.manifest import Manifest
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, called_together
from sparring.experiments.sweeps.tuning import Choice

CLASSES = "Classes"

KNOWLEDGE = {
    "black_box": "black box: their own shards, and the global models that were sent to them",
    "white_box": "white box: their own shards, the global models, and the server's rule with its settings",
    "omniscient": "omniscient: their own shards, the global models, the server's rule, and what the benign clients "
    "send in the same round",
}


class Fact(NamedTuple):
    """What a term stands for; in several ways where the runs differ."""

    term: str
    words: tuple[str, ...]


def threat_model(study: Study) -> tuple[Fact, ...]:
    """Say who trains, who attacks, what attackers know and what the server reckons with."""
    told: dict[str, dict[str, None]] = {}
    for about in study.manifests.values():
        for term, words in {**_told(about.config), **_classes(about)}.items():
            told.setdefault(term, {})[words] = None
    return tuple(Fact(term, tuple(words)) for term, words in told.items())


def players(study: Study, axis: str) -> tuple[Fact, ...]:
    """Say what the labels of the attacks or of the defenses stand for, where that is not what they say."""
    tell: Mapping[str, Callable[[Config], str]] = {
        ATTACK: format_attacks,
        DEFENSE: lambda config: format_member(config.defense),
    }
    words: dict[str, dict[str, None]] = {label: {} for label in study.axes.get(axis, ())}
    for cell in study.cells:
        about = study.manifests.get(run_of(cell))
        if about is not None and axis in cell.labels:
            words[cell.labels[axis]][tell[axis](about.config)] = None
    return tuple(Fact(label, tuple(each)) for label, each in words.items() if any(_tells(label, told) for told in each))


def choices(study: Study) -> tuple[Fact, ...]:
    """Say what was chosen for each rule, and by what."""
    return tuple(Fact(called_together(choice.labels), (_chosen(choice),)) for choice in study.choices)


def _chosen(choice: Choice) -> str:
    settings = ", ".join(f"{key}={value}" for key, value in choice.chosen.items())
    attacks = ", ".join(choice.trials[0].accuracy)
    return (
        f"{settings}: of {len(choice.trials)} candidates the one whose worst accuracy on validation examples, under "
        f"{attacks}, is best ({choice.worst:.3f}, n = {choice.n})"
    )


def _tells(label: str, words: str) -> bool:
    """Say whether words say more than a label: not if they are its own, options in another order."""
    return sorted(label) != sorted(words)


def _classes(about: Manifest) -> dict[str, str]:
    return {CLASSES: format_classes(about.class_names)} if about.class_names else {}


def _told(config: Config) -> dict[str, str]:
    federation, threat = config.federation, config.threat
    facts = {
        "Federation": f"{federation.clients} clients, of which {federation.sampled} are drawn in each of "
        f"{federation.rounds} rounds",
        "Data": f"{format_member(config.data.member)}, divided by {format_member(config.data.partition)}",
        "Training": f"{format_member(config.model)}; {federation.local_steps} x {federation.batch} examples a client "
        f"and round, lr {federation.lr:g}",
        "The server": f"{_assuming(config)}; holds {config.data.root_size} examples itself",
        "Measured": f"every {config.evaluation.every} rounds, on the {config.evaluation.on} examples",
    }
    if not config.attacks:
        return facts
    return facts | {
        "Attackers control": " and ".join(f"{each.malicious}" for each in config.attacks)
        + f" of {federation.clients} clients, whose updates, or data, they choose; those of one attacker act as one",
        "Attackers may know": KNOWLEDGE[threat.knowledge],
    }


def _assuming(config: Config) -> str:
    if config.has_oracle:
        return "is told how many updates of each round are malicious, which only an oracle can know"
    return f"takes {config.threat.assumed_malicious:.0%} of the updates of a round to be malicious, whatever the truth"
