"""The threat model of a study, in words."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sparring.experiments.config.central_schema import AnyConfig, CentralConfig
from sparring.experiments.config.describe import format_attacks, format_classes, format_member, list_facts
from sparring.experiments.config.schema import Config
from sparring.experiments.report.study import Study, run_of
from sparring.experiments.runs.manifest import Manifest
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, join_labels
from sparring.experiments.sweeps.tuning import Choice

CLASSES = "Classes"

KNOWLEDGE = {
    "black_box": "black box: their own shards, and the global models sent to them",
    "white_box": "white box: their own shards, the global models, and the server's rule with its settings",
    "omniscient": "omniscient: their own shards, the global models, the server's rule, and what the benign clients "
    "send in the same round",
}


CENTRAL_KNOWLEDGE = {
    "white_box": "sees the model of each round",
    "black_box": "does not see the model, and replays perturbations that it recorded on a surrogate",
}


class Fact(NamedTuple):
    """A term and its explanation, or several explanations if the runs differ."""

    term: str
    words: tuple[str, ...]


def describe_threat_model(study: Study) -> tuple[Fact, ...]:
    """Describe the federation, the attackers, their knowledge and the server's assumption."""
    facts: dict[str, dict[str, None]] = {}
    for about in study.manifests.values():
        for term, words in {**_describe_facts(about.config), **_describe_classes(about)}.items():
            facts.setdefault(term, {})[words] = None
    return tuple(Fact(term, tuple(words)) for term, words in facts.items())


def describe_players(study: Study, axis: str) -> tuple[Fact, ...]:
    """Explain the labels of the attacks or of the defenses that differ from their configuration."""
    formats: Mapping[str, Callable[[AnyConfig], str]] = {
        ATTACK: _format_attacker,
        DEFENSE: lambda config: format_member(config.defense),
    }
    words: dict[str, dict[str, None]] = {label: {} for label in study.axes.get(axis, ())}
    for cell in study.cells:
        about = study.manifests.get(run_of(cell))
        if about is not None and axis in cell.labels:
            words[cell.labels[axis]][formats[axis](about.config)] = None
    return tuple(
        Fact(label, tuple(each))
        for label, each in words.items()
        if any(_adds_information(label, text) for text in each)
    )


def _format_attacker(config: AnyConfig) -> str:
    return format_member(config.attack) if isinstance(config, CentralConfig) else format_attacks(config)


def describe_choices(study: Study) -> tuple[Fact, ...]:
    """Describe the choice of hyperparameters for each rule."""
    return tuple(Fact(join_labels(choice.labels), (_describe_choice(choice),)) for choice in study.choices)


def _describe_choice(choice: Choice) -> str:
    settings = ", ".join(f"{key}={value}" for key, value in choice.chosen.items())
    attacks = ", ".join(choice.trials[0].accuracy)
    return (
        f"{settings}: of {len(choice.trials)} candidates, the one with the best worst-case accuracy on validation "
        f"examples under {attacks} ({choice.worst:.3f}, n = {choice.n})"
    )


def _adds_information(label: str, words: str) -> bool:
    """Return whether the words differ from the label by more than the order of options."""
    return sorted(label) != sorted(words)


def _describe_classes(about: Manifest) -> dict[str, str]:
    return {CLASSES: format_classes(about.class_names)} if about.class_names else {}


def _describe_facts(config: AnyConfig) -> dict[str, str]:
    if isinstance(config, CentralConfig):
        return _describe_central(config)
    return _describe_federation(config)


def _describe_central(config: CentralConfig) -> dict[str, str]:
    facts = list_facts(config)
    return {
        "Learner": f"{facts['model']}; {facts['training']}",
        "Data": f"{facts['data']}; {config.data.validation} examples are held out for validation",
        "Evaluation": facts["evaluation"],
        "The attacker": "changes the inputs of every minibatch, and not their labels; it "
        + CENTRAL_KNOWLEDGE[config.threat.knowledge]
        + ("" if config.threat.validation else ", and does not have the validation examples"),
        "The defender": "changes what the attacker leaves of a minibatch, knows the model and the validation examples, "
        "and sees neither the original minibatch nor which examples it holds",
    }


def _describe_federation(config: Config) -> dict[str, str]:
    federation, threat = config.federation, config.threat
    facts = {
        "Federation": f"{federation.clients} clients, of which {federation.sampled} are sampled in each of "
        f"{federation.rounds} rounds",
        "Data": f"{format_member(config.data.member)}, divided by {format_member(config.data.partition)}",
        "Training": f"{format_member(config.model)}; {federation.local_steps} x {federation.batch} examples per client "
        f"and round, lr {federation.lr:g}",
        "The server": f"{_describe_assumption(config)}; holds {config.data.root_size} root examples",
        "Evaluation": f"every {config.evaluation.every} rounds, on the {config.evaluation.on} examples",
    }
    if not config.attacks:
        return facts
    return facts | {
        "Attackers control": " and ".join(f"{each.malicious}" for each in config.attacks)
        + f" of {federation.clients} clients, and choose their updates or data; the clients of one attacker cooperate",
        "Attackers may know": KNOWLEDGE[threat.knowledge],
    }


def _describe_assumption(config: Config) -> str:
    if config.has_oracle:
        return "receives the true number of malicious updates in each round, which only an oracle can know"
    return f"assumes that {config.threat.assumed_malicious:.0%} of the updates in a round are malicious"
