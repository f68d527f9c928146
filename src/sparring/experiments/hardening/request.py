"""The request of a hardening: a federation, a domain of attacks, and how the defense is learned."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from sparring.defenses.learned.actions import RepairName
from sparring.errors import ConfigError
from sparring.experiments.audit.budget import format_budget
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.file_contents import replace_file_names
from sparring.experiments.config.parse import parse_federation, to_document
from sparring.experiments.config.schema import CLIENTS, EXAMPLES, ROUNDS, Config
from sparring.experiments.config.sections import Section, parse_section, subsection
from sparring.experiments.hardening.domain_settings import TypeSettings, list_types, parse_domain
from sparring.experiments.hardening.shipped_domains import DEFAULT
from sparring.learning.types_in_turn import Over
from sparring.registry import ADDED_LATER, described_options

Knowledge = Literal["root_data", "white_box"]
"""What the simulated federation is made of: the server's root data alone, or the clients' true shards."""
Actions = Literal["published", "synthesis"]
Answers = Literal["frozen", "adapted"]
"""How attackers that learn play: as they were trained before, or as they answer the policy that is learned."""
OWN = ("domain", "harden")
"""The sections of a request beside those of a run."""
NOT_GIVEN = ("attack", "attacks", "defense", "post_training")
"""The sections of a run that a hardening decides."""


@dataclass(frozen=True, kw_only=True)
class HardeningSettings:
    """The section `harden`: what is learned, and in which simulation."""

    knowledge: Knowledge = "root_data"
    """`root_data`: the clients hold augmented images of the server's root data; `white_box`: their true shards."""
    clients: Annotated[int, Field(ge=1, le=CLIENTS)] | None = None
    """The number of simulated clients with `root_data`; null is that of the real federation, MSG has 10."""
    actions: Actions = "synthesis"
    """What a policy sets in each round: MSG's published numbers, or those of `graded_trust`."""
    repair: RepairName | None = None
    """The post-training defense whose strength a policy sets; null: NeuroClip if the model has hidden activations."""
    rounds: Annotated[int, Field(ge=1, le=ROUNDS)] = 40
    """The rounds of an episode; a run of fewer rounds has shorter episodes."""
    images: Annotated[int, Field(ge=10, le=EXAMPLES)] = 1000
    """The number of augmented images."""
    layers: Annotated[int, Field(ge=1)] = 1
    """The number of the model's last layers that a policy observes."""
    reward: Literal["level", "late", "end"] = "late"
    """Which rounds of an episode count in the return: all, as in MSG, those of the second half, or the last."""
    over: Over = "worst"
    """What counts over the domain: the mean return by the prior, or the return of the worst type."""
    sees_backdoors: bool = True
    """Whether the reward counts triggered images; if not, it is the loss alone, as in MSG's text."""
    backdoor_weight: Annotated[float, Field(ge=0, le=1)] = 0.5
    """λ, the weight of triggered images in the reward."""
    episodes: Annotated[int, Field(ge=2, le=1000)] = 4
    """Held-out episodes of each type in which defenses are compared."""
    compared: Annotated[int, Field(ge=1, le=ROUNDS)] = 100
    """The rounds of a held-out episode: more, since some rules break late; at most those of a run."""
    answers: Answers = field(default="frozen", metadata=ADDED_LATER)
    """`adapted`: in each iteration attackers that learn are improved against the policy that was adapted to them."""
    racing: bool = field(default=False, metadata=ADDED_LATER)
    """Whether the search plays the hardest types first, and drops an action once its worst type is below the middle's.

    Only with `over=worst`. The same number of rounds tries several times as many actions.
    """


@dataclass(frozen=True)
class HardeningRequest:
    """A request; equal requests of equal effort give equal policies."""

    base: Section
    """The configuration of the real federation, without attackers and defense."""
    domain: Section
    """The section that describes the attack domain."""
    settings: HardeningSettings
    effort: float | int
    """The approximate time in seconds, or the number of training rounds to simulate (an `int`)."""
    catalogues: Catalogues = field(default=CATALOGUES, repr=False)

    @cached_property
    def config(self) -> Config:
        """A run of the real federation, without attackers."""
        return parse_federation(self.base, self.catalogues)

    @property
    def simulated(self) -> Section:
        """The document of the federation that is simulated."""
        federation, clients = subsection(self.base, "federation"), self.settings.clients
        if clients is None or self.settings.knowledge == "white_box":
            return self.base
        sampled = min(clients, self.config.federation.sampled)
        return {**self.base, "federation": {**federation, "clients": clients, "sampled": sampled}}

    @cached_property
    def types(self) -> dict[str, TypeSettings]:
        """The types of the domain, in the simulated federation."""
        return parse_domain(self.domain, self.simulated, self.catalogues)

    @property
    def domain_name(self) -> str:
        """The domain in words: by its name, or as one that is written out."""
        return f"the domain {self.domain['name']}" if "name" in self.domain else "a domain of your own"

    @property
    def rounds(self) -> int:
        """The rounds of an episode."""
        return min(self.settings.rounds, self.config.federation.rounds)

    @property
    def compared(self) -> int:
        """The rounds of a held-out episode."""
        return min(self.settings.compared, self.config.federation.rounds)

    @property
    def asked_effort(self) -> str:
        """The effort in the words of the command line."""
        return f"{self.effort} rounds" if isinstance(self.effort, int) else format_budget(self.effort)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The complete request with every default written out, except for the section `execution`."""
        described = to_document(self.config)
        for key in ("execution", *NOT_GIVEN):
            described.pop(key, None)
        files = {name: digest for each in self.types.values() for name, digest in each.config.files.items()}
        complete = {
            **described,
            "harden": described_options(self.settings),
            "domain": list_types(self.domain),
            "effort": self.effort,
        }
        document: dict[str, Any] = replace_file_names(complete, {**self.config.files, **files})
        return document

    @property
    def digest(self) -> str:
        """The digest that identifies the request."""
        return hashlib.sha256(json.dumps(self.document, sort_keys=True).encode()).hexdigest()


def read_hardening(
    document: Section, *, effort: float | int, domain: Section | None = None, catalogues: Catalogues = CATALOGUES
) -> HardeningRequest:
    """Return the request that a configuration describes; `domain` replaces its section `domain`."""
    for key in NOT_GIVEN:
        if document.get(key) is not None:
            remedy = "choose attackers by --domain" if key.startswith("attack") else "the defense is what it learns"
            raise ConfigError(f"{key} is given; leave it out, {remedy}")
    given = domain if domain is not None else document.get("domain", {"name": DEFAULT})
    base = {key: value for key, value in document.items() if key not in OWN}
    settings = parse_section("harden", HardeningSettings, subsection(document, "harden"))
    opened_domain = {"name": given} if isinstance(given, str) else dict(given)
    request = HardeningRequest(base, opened_domain, settings, effort, catalogues)
    _check(request)
    return request


def _check(request: HardeningRequest) -> None:
    """Reject settings that would make the hardening fail later."""
    if request.config.data.root_size < 2:
        raise ConfigError(
            f"data.root_size is {request.config.data.root_size}; a defense is learned on the server's root data, use "
            "data.root_size=100"
        )
    if isinstance(request.effort, int) and request.effort < 1:
        raise ConfigError(f"rounds is {request.effort}; it must be at least 1")
    learns = any(each.follower is not None for each in request.types.values())  # rejects invalid types early, too
    if request.settings.answers == "adapted" and not learns:
        raise ConfigError(
            f"harden.answers is 'adapted'; no attacker of {request.domain_name} learns, use --domain meta_sg or "
            "harden.answers=frozen"
        )


def trained_attacks(types: Mapping[str, TypeSettings]) -> tuple[str, ...]:
    """Return the names of the attacks that a domain has, in order."""
    found = (str(attacker.member["name"]) for each in types.values() for attacker in each.config.attacks)
    return tuple(dict.fromkeys(found))
