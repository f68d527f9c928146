"""Local model poisoning (Fang et al., 2020; against FLTrust, Cao et al., 2021)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Literal, get_args

from sparring.arrays import Matrix
from sparring.attacks.untargeted.local_model_poisoning.fltrust import LambdaChoice, TrustAscent, most_harmful
from sparring.attacks.untargeted.local_model_poisoning.krum import farthest_expected, farthest_selected
from sparring.attacks.untargeted.local_model_poisoning.trimmed_mean import beyond_deviation, beyond_range
from sparring.attacks.untargeted.observed_updates import (
    Knowledge,
    assumed_count,
    benign_updates,
    check_knowledge,
    mean_update,
    own_updates,
)
from sparring.contracts import BlackBoxView, Family, OmniscientView, WhiteBoxView, family_of, krum_score
from sparring.errors import ConfigError

Form = Literal["auto", "trimmed_mean", "krum", "fltrust"]

FITTING: Mapping[Family, Form] = {"distance": "krum", "root": "fltrust"}
"""The form that `auto` uses against a family of rules; against any other it is the trimmed-mean form."""


@dataclass(frozen=True)
class LocalModelPoisoning:
    r"""Push the global model as far as the rule allows, against the direction in which benign training moves it.

    $$-\lambda \, \mathrm{sign}(\mu), \quad \lambda = \text{the largest found with which Krum selects it}$$

    This is the Krum form, with the mean $\mu$ of the benign updates. The trimmed-mean form draws each coordinate beyond
    the benign values, on the side of $-\mathrm{sign}(\mu)$; the FLTrust form climbs the harm of the aggregate.

    The Krum form scores as the server's rule does, and assumes the malicious count that the rule uses; with partial
    knowledge, as many malicious rows as the search adds.

    With partial knowledge the clients' own updates replace the benign ones, and their mean replaces the root update.
    In a round without benign updates the clients submit their own.
    """

    form: Form = "auto"
    """The rule that it is made for; `auto` takes the form that fits the server's rule."""
    knowledge: Knowledge = "full"
    """What it estimates from: this round's benign updates (`full`), or its own clients' updates (`partial`)."""
    scale: float = 2.0
    """The factor b of the trimmed-mean form: how far beyond the benign local models it reaches."""
    lambda_choice: LambdaChoice = "last"
    """The point that the FLTrust form continues from after a walk: the last, as published, or the most harmful seen."""
    paper: ClassVar[str] = (
        "Fang et al., 2020, Local model poisoning attacks to Byzantine-robust federated learning, USENIX Security; "
        "Cao et al., 2021, FLTrust: Byzantine-robust federated learning via trust bootstrapping, NDSS"
    )
    cost: ClassVar[str] = "O(n d), or O(n^2 d) against rules that choose by distance"
    assumption: ClassVar[str] = "the form fits the server's rule"

    def __post_init__(self) -> None:
        if self.form not in get_args(Form):
            raise ConfigError(f"lmp.form is {self.form!r}; it must be one of: {', '.join(get_args(Form))}")
        check_knowledge("lmp", self.knowledge)
        if self.lambda_choice not in get_args(LambdaChoice):
            raise ConfigError(f"lmp.lambda_choice is {self.lambda_choice!r}; it must be last or best")
        if not 1 < self.scale < inf:
            raise ConfigError(f"lmp.scale is {self.scale}; it must be above 1 and finite")

    @property
    def needs(self) -> type[BlackBoxView]:
        """Full knowledge requires this round's benign updates; partial knowledge only the rule."""
        return OmniscientView if self.knowledge == "full" else WhiteBoxView

    def craft(self, view: WhiteBoxView) -> Matrix:
        form = FITTING.get(family_of(view.rule), "trimmed_mean") if self.form == "auto" else self.form
        if self.knowledge == "partial":
            return self._with_partial_knowledge(view, form)
        assert isinstance(view, OmniscientView)
        return self._with_full_knowledge(view, form)

    def _with_full_knowledge(self, view: OmniscientView, form: Form) -> Matrix:
        benign, rows = benign_updates(view), len(view.clients)
        if len(benign) == 0:
            return own_updates(view)
        if form == "krum":
            score = krum_score(view.rule)
            return farthest_selected(benign, crafted=rows, assumed=assumed_count(view), score=score).expand(rows, -1)
        crafted = beyond_range(benign, view.parameters, rows=rows, scale=self.scale, rng=view.rng)
        if form == "fltrust":
            root, ascent = view.root().nan_to_num(), TrustAscent(lambda_choice=self.lambda_choice)
            return most_harmful(crafted, benign=benign, root=root, rng=view.rng, ascent=ascent)
        return crafted

    def _with_partial_knowledge(self, view: WhiteBoxView, form: Form) -> Matrix:
        own = own_updates(view)
        if form == "krum":
            return farthest_expected(own, krum_score(view.rule)).expand(len(own), -1)
        crafted = beyond_deviation(own, view.rng)
        if form == "fltrust":
            ascent = TrustAscent(lambda_choice=self.lambda_choice)
            return most_harmful(crafted, benign=own, root=mean_update(own), rng=view.rng, ascent=ascent)
        return crafted
