"""The card of a learned defense: what it was made for, what it was measured to do, what it was not trained for."""

from collections.abc import Mapping
from typing import Any

from sparring.experiments.audit.request import NOT_CRAFTED
from sparring.experiments.config.catalogues import list_without_options
from sparring.experiments.config.describe import format_attacks, format_member
from sparring.experiments.config.parse import FACTS
from sparring.experiments.hardening.domain_settings import TypeSettings
from sparring.experiments.hardening.plan import HardeningPlan
from sparring.experiments.hardening.request import Answers, HardeningRequest, trained_attacks
from sparring.experiments.hardening.verdict import LEARNED, HardeningVerdict, verdict_to_json

NO_ATTACKERS = "no attackers"
ANSWERING: Mapping[Answers, str] = {"frozen": "", "adapted": ", then against the policy that is adapted to it"}
"""What the attackers that learn are trained against after that."""


def make_card(request: HardeningRequest, plan: HardeningPlan, verdict: HardeningVerdict) -> dict[str, Any]:
    """Return the card as JSON values."""
    row = verdict.row(LEARNED)
    return {
        "made_by": "sparring harden",
        "digest": request.digest,
        "settings": request.document,
        "rounds": dict(plan.rounds),
        "measured": {kind: summary._asdict() for kind, summary in row.by_type.items()},
        "verdict": verdict_to_json(verdict),
        "not_trained_for": list(list_limits(request)),
    }


def describe_types(request: HardeningRequest) -> dict[str, str]:
    """Return the attackers of each type of the domain in words."""
    described = {}
    for name, each in request.types.items():
        said = [format_attacks(each.config)] if each.config.attacks else []
        if each.follower is not None:
            against = format_member(each.follower.against.defense)
            clients = each.config.federation.clients
            said.append(
                f"{format_member(each.follower.acting)} by {each.follower.malicious} of {clients} clients, learned "
                f"against {against}{ANSWERING[request.settings.answers]}"
            )
        described[name] = f"{'; '.join(said) or NO_ATTACKERS} (weight {each.weight:g})"
    return described


def list_limits(request: HardeningRequest) -> tuple[str, ...]:
    """Return what a policy was not trained for, one sentence each."""
    config, crafted = request.config, list_without_options("attacks", request.catalogues, known=FACTS)
    unseen = [
        name
        for name, cls in crafted.items()
        if not issubclass(cls, NOT_CRAFTED) and name not in trained_attacks(request.types)
    ]
    most = max(_share(each) for each in request.types.values())
    learns = any(each.follower is not None for each in request.types.values())
    limits = [
        f"another data set than {config.data.member['name']}, another model than {format_member(config.model)}",
        f"more than {most:.0%} malicious clients",
        f"these attacks of the catalogue: {', '.join(unseen)}",
    ]
    return tuple(limits if learns else [*limits, "attackers that learn against it"])


def _share(settings: TypeSettings) -> float:
    """Return the share of malicious clients of a type."""
    follower = 0 if settings.follower is None else settings.follower.malicious
    clients: int = settings.config.federation.clients
    return (sum(each.malicious for each in settings.config.attacks) + follower) / clients
