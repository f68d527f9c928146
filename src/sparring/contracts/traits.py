"""What rules declare about themselves; a rule may leave out any of it."""

from dataclasses import fields, is_dataclass
from typing import NamedTuple

from sparring.arrays import PUBLISHED, KrumScore
from sparring.contracts.players import Count, Defense, Family, Server


class RuleTraits(NamedTuple):
    """What a rule declares in fields or class variables of these names, and the defaults of one that does not."""

    family: Family = "coordinate"
    malicious: Count | None = None
    """The rule's own number of malicious rows; None means the server's."""
    inner: Defense | None = None
    """The rule that it wraps."""
    krum_score: KrumScore | None = None
    """The form of Krum's score; None leaves it to the wrapped rule."""
    per_client: bool = False
    """Whether its memory has a row for each client."""


def traits_of(rule: Defense | Server) -> RuleTraits:
    """Return what a rule declares about itself."""
    return RuleTraits._make(getattr(rule, name, default) for name, default in RuleTraits._field_defaults.items())


def own_malicious(rule: Defense | Server) -> Count | None:
    """Return the malicious count configured in a rule or in the rule it wraps; None means the server's count."""
    traits = traits_of(rule)
    return own_malicious(traits.inner) if traits.malicious is None and traits.inner is not None else traits.malicious


def is_oracle(rule: Defense | Server) -> bool:
    """Say whether a rule, or the rule it wraps, is given the true number of malicious rows of each round."""
    traits = traits_of(rule)
    return traits.malicious == "sampled" or (traits.inner is not None and is_oracle(traits.inner))


def krum_score(rule: Defense | Server) -> KrumScore:
    """Return the form of Krum's score that a rule or the rule it wraps declares; the published form by default."""
    traits = traits_of(rule)
    if traits.krum_score is not None:
        return traits.krum_score
    return PUBLISHED if traits.inner is None else krum_score(traits.inner)


def needs_root_data(player: Defense | Server) -> bool:
    """Say whether a rule, or a server that declares `needs_root`, uses root data.

    It is not one of the traits, because a server may have to read its policy to know.
    """
    return family_of(player) == "root" or getattr(player, "needs_root", False)


def family_of(rule: Defense | Server) -> Family:
    """Return a rule's family; a rule that does not declare one counts as coordinate-wise."""
    return traits_of(rule).family


def limit_of(rule: Defense | Server, clients: int) -> int:
    """Return how many malicious rows among `clients` a rule can be configured to tolerate; all if it has no limit."""
    return rule.limit(clients) if hasattr(rule, "limit") else clients


def differentiates_twice(player: object) -> bool:
    """Say whether a player of minibatch training, or one within it, declares that it needs mixed second derivatives."""
    return _declares(player, "differentiates_twice")


def learns_beforehand(player: object) -> bool:
    """Say whether a player, or one within it, declares that it is trained before the first round."""
    return _declares(player, "learns_beforehand")


def _declares(player: object, trait: str) -> bool:
    if getattr(player, trait, False):
        return True
    inner = [getattr(player, field.name) for field in fields(player)] if is_dataclass(player) else []
    return any(_declares(each, trait) for each in inner if is_dataclass(each))
