"""Which defense: tables for docs/which-defense.md, made of what docs/results/ has measured and of the rules' facts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from tools.site.examples import attacks, sees_own_clients
from tools.site.measurements import (
    CLEAN,
    Score,
    count_gallery_seeds,
    read_backdoors,
    read_few_attackers,
    read_gallery,
    read_learned,
    read_tables,
)
from tools.site.members import Member, members
from tools.site.pages import rules_table, table

MARKER = "<!-- measured: {name} -->"
BEST = 2
"""How many rules a situation names."""
ALIASES = {"clipmed": "clipping_median", "fedavg": "mean", "update_norm": "weak_differential_privacy"}
"""Names of published tables for rules that are called otherwise here."""
POST_TRAINING = "[{label}](post_training.md)"
SQUARES = ("n^2", "N^2")
"""What the cost of a rule contains that grows with the square of the number of clients."""
MIXED = " + "
"""Part of the name of attackers that play together."""


class Source(NamedTuple):
    """A page of results, and the setting in which it measured."""

    page: str
    setting: str

    @property
    def link(self) -> str:
        return f"[{self.setting}](results/{self.page}.md)"


GALLERY = Source("gallery", f"MNIST, 20 of 100 clients malicious, label skew 0.5, {count_gallery_seeds()}")
FIGURE = Source("marl-fig2", "Fashion-MNIST, 10 of 200 clients malicious, 3 seeds")
BACKDOORS = Source("backdoors", "MNIST, 5 to 30 of 100 clients malicious, 3 seeds")
LEARNED = Source("learned-attack", "MNIST, 20 of 100 clients malicious, label skew 0.5, 5 seeds")


class Situation(NamedTuple):
    """What a defender faces, and the scores that were measured in it."""

    name: str
    scores: Sequence[Score]
    source: Source

    def best(self) -> list[Score]:
        """Return the scores of the most merit, best first, one a rule; the plain mean is no defense."""
        by_rule: dict[str | None, Score] = {}
        for score in sorted(self.scores, key=lambda score: score.merit, reverse=True):
            by_rule.setdefault(_rule(score.label), score)
        return [score for rule, score in by_rule.items() if rule != "mean"][:BEST]


def insert_measurements(markdown: str) -> str:
    """Put each table in the place that its marker keeps for it."""
    for name, write in TABLES.items():
        marker = MARKER.format(name=name)
        if marker in markdown:
            markdown = markdown.replace(marker, write())
    return markdown


def list_situations() -> list[Situation]:
    """Return the situations that a decision is made for."""
    alike, unlike = read_few_attackers()
    mixed = [name for name in read_backdoors()[0].attacks if MIXED in name]
    single = [name for name in read_backdoors()[0].attacks if MIXED not in name]
    blind = [name for name in read_gallery()[0].attacks if sees_own_clients(name)]
    rootless = [score for score in read_gallery() if not _needs_root(score.label)]
    linear = [score for score in rootless if not any(each in _facts(score.label)["cost"] for each in SQUARES)]
    return [
        Situation("Few untargeted attackers (5\u00a0%)", alike, FIGURE),
        Situation("Few untargeted attackers (5\u00a0%), clients whose data differ", unlike, FIGURE),
        Situation("Untargeted attackers, up to 20\u00a0%", read_gallery(), GALLERY),
        Situation("… and no root data", rootless, GALLERY),
        Situation("… and a cost that grows no faster than the number of clients", linear, GALLERY),
        Situation("… and attackers that see only their own clients", [each.only(blind) for each in rootless], GALLERY),
        Situation("Backdoors", [each.only(single) for each in read_backdoors()], BACKDOORS),
        Situation("Backdoors beside untargeted attackers", [each.only(mixed) for each in read_backdoors()], BACKDOORS),
        Situation("An attacker that learns against the rule", select_skewed(read_learned()), LEARNED),
    ]


def select_skewed(panels: Iterable[Score]) -> list[Score]:
    """Return the panels with label skew, of each rule one."""
    return [Score(panel.label.partition(", ")[0], panel.cells) for panel in panels if "q = " in panel.label]


def _decision() -> str:
    rows = []
    for situation in list_situations():
        for place, score in enumerate(situation.best()):
            name, source = ("", "") if place else (situation.name, situation.source.link)
            planted = score.strongest_backdoor
            worst = _worst(score) + (f"; backdoor {planted:.2f}" if planted is not None else "")
            rows.append((name, _link(score.label), worst, _value(score, CLEAN), _failing(score), source))
    return table(("situation", "rule", "worst accuracy", "without attack", "it fails under", "measured in"), *rows)


def _costs() -> str:
    """Return what the rules that the decision names cost and assume."""
    named = dict.fromkeys(_rule(score.label) for situation in list_situations() for score in situation.best())
    rows = [(_link(rule), _facts(rule)["assumes"], _facts(rule)["cost"]) for rule in named if rule is not None]
    return table(("rule", "assumes", "cost of a round"), *rows)


def _untargeted() -> str:
    blind = [name for name in read_gallery()[0].attacks if sees_own_clients(name)]
    rows = [
        (_link(score.label), _value(score, CLEAN), _worst(score.only(blind)), _worst(score), _failing(score))
        for score in sorted(read_gallery(), key=lambda score: score.merit, reverse=True)
    ]
    return table(("rule", "without attack", "worst, sees its own clients", "worst of all", "it fails under"), *rows)


def _planted() -> str:
    rows = [
        (_link(score.label), _value(score, CLEAN), _worst(score), _strongest(score), _failing(score))
        for score in sorted(read_backdoors(), key=lambda score: score.merit, reverse=True)
    ]
    return table(("defense", "without attack", "worst accuracy", "highest backdoor accuracy", "it fails under"), *rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "decision": _decision,
    "costs": _costs,
    "untargeted": _untargeted,
    "backdoors": _planted,
}
"""The tables by the names in their markers."""


def _worst(score: Score) -> str:
    return f"{_value(score, score.worst)} ({_names([score.worst])})"


def _value(score: Score, attack: str) -> str:
    return f"{score.cells[attack].accuracy:.2f}"


def _strongest(score: Score) -> str:
    strongest = score.strongest_backdoor
    assert strongest is not None
    return f"{strongest:.2f}"


def _failing(score: Score) -> str:
    return _names(score.failures) or f"no attack of {len(score.attacks)}"


def _names(names: Iterable[str]) -> str:
    """Write attacks: those of the catalogue as code, those of published tables as these do."""
    return ", ".join(f"`{name}`" if name in attacks() else name for name in names)


def _link(label: str) -> str:
    """Link to the page of a rule; where a published table plays it with a setting, its label says so."""
    rule = _rule(label)
    if rule is None:
        return POST_TRAINING.format(label=label)
    return f"[`{rule}`](rules/{rule}.md)" + ("" if _spelled(label) == rule else f" ({label})")


@cache
def _rule(label: str) -> str | None:
    """Return the rule that a table calls by this label, None for a post-training defense behind the mean."""
    found = [name for rule in _rules() for name in rule.names if _spelled(label).startswith(name)]
    return max(found, key=len, default=None)


def _spelled(label: str) -> str:
    spelled = label.lower().replace(" ", "_")
    for alias, name in ALIASES.items():
        spelled = spelled.replace(alias, name)
    return spelled


def _needs_root(label: str) -> bool:
    rule = next(rule for rule in _rules() if label in rule.names)
    return getattr(rule.cls, "family", None) == "root"


@cache
def _rules() -> tuple[Member, ...]:
    return tuple(rule for rule in members("defenses") if not rule.needs_file)


def _facts(rule: str) -> Mapping[str, str]:
    """Return what the table of all rules says of one."""
    rows = next(read_tables(rules_table(_rules())))
    return next(row for member, row in zip(_rules(), rows, strict=True) if rule in member.names)
