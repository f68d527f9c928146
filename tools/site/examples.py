"""How a member is used: what a configuration says of it, and what Python does."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import yaml

from sparring.contracts import BlackBoxView, limit_of
from sparring.experiments.config.catalogues import CATALOGUES, Option
from sparring.federation import Federation, Threat
from sparring.registry import build
from tools.site.members import Member, members

MALICIOUS = 10
BOTH = ("attack", "poison")
"""The roles of a backdoor that crafts what it sends."""
WIDTH = 110
INNER = {"name": "median"}
"""The rule that a wrapper is shown with."""
FILES = {"attacks": "policy.safetensors", "defenses": "policy.safetensors", "triggers": "trigger.safetensors"}
"""The file that what was learned is shown with."""
FACTOR = -0.5
"""The number that an option without a default is shown with."""
CARRIER = ("bfl", "PoisonedTraining")
"""The backdoor that a trigger is shown with: its name, and its class."""


def section(member: Member) -> dict[str, Any]:
    """Return the shortest section that names a member: each option that must be given is a rule, a file or a number."""
    return {"name": member.name, **_required(member)}


def _required(member: Member) -> dict[str, Any]:
    return {option.name: _shown(member, option) for option in member.options if option.required}


def _shown(member: Member, option: Option) -> Any:
    if option.type == "float":
        return FACTOR
    return FILES[member.kind] if member.needs_file else INNER


def player(member: Member, **facts: object) -> Any:
    """Build the attack, poison, trigger or rule with its defaults; `facts` are about the data."""
    return build(member.kind, CATALOGUES[member.kind], section(member), **facts)


def sees_own_clients(attack: str) -> bool:
    """Say whether the attack of this name needs to see no more than its own clients."""
    member = attacks().get(attack)
    return member is not None and (not member.crafts or player(member).needs is BlackBoxView)


@cache
def attacks() -> Mapping[str, Member]:
    """Return the attacks by each of their names."""
    return {name: member for member in members("attacks") for name in member.names}


def document(member: Member) -> dict[str, Any]:
    """Return a configuration that plays the member; a rule that can take fewer malicious rows than usual is told so."""
    if member.is_trigger:
        return {"attack": {"name": CARRIER[0], "malicious": MALICIOUS, "trigger": section(member)}}
    if not member.is_rule:
        return {"attack": {**section(member), "malicious": MALICIOUS}}
    clients = Federation.sampled
    limit = limit_of(player(member), clients)
    threat = {} if Threat().assumed(clients) <= limit else {"threat": {"assumed_malicious": limit / clients}}
    return {"defense": section(member), **threat}


def as_yaml(member: Member) -> str:
    """Write the configuration, a line a section."""
    style: dict[str, Any] = {"default_flow_style": True, "sort_keys": False, "width": WIDTH}
    return "".join(f"{key}: {yaml.safe_dump(value, **style)}" for key, value in document(member).items())


def as_python(member: Member) -> str:
    """Write how the member comes into a scenario."""
    required = _required(member).items()
    inner = ", ".join(f"{name}={'Median()' if held is INNER else repr(held)}" for name, held in required)
    call = f"{member.cls.__name__}({inner})"
    if member.is_rule:
        names = ", ".join(sorted({member.cls.__name__} | ({"Median"} if inner and not member.needs_file else set())))
        return f"from sparring.defenses import {names}\n\nrule = {call}\n"
    if member.is_trigger:
        return _attacking([CARRIER[1], member.cls.__name__], f"{CARRIER[1]}(trigger={call})", roles=BOTH)
    roles = BOTH if member.is_backdoor else ("attack",)
    return _attacking([member.cls.__name__], call, roles=roles if member.crafts else ("poison",))


def _attacking(names: Sequence[str], call: str, *, roles: Sequence[str]) -> str:
    """Write how an attacker plays what `call` makes; one that plays two roles is named."""
    made = f"backdoor = {call}\n" if len(roles) > 1 else ""
    played = ", ".join(f"{role}={'backdoor' if made else call}" for role in roles)
    return (
        f"from sparring.attacks import {', '.join(sorted(names))}\nfrom sparring.federation import Attacker\n\n"
        f"{made}attacker = Attacker(malicious={MALICIOUS}, {played})\n"
    )
