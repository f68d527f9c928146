"""Adaptive local model poisoning (Fang et al., 2020), the unseen attack of the meta-Stackelberg game's authors."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Matrix
from sparring.attacks.untargeted.local_model_poisoning.local_model_poisoning import LocalModelPoisoning
from sparring.contracts import BlackBoxView, OmniscientView


@dataclass(frozen=True)
class AdaptiveLocalModelPoisoning:
    """Solve local model poisoning in each round, against that round's benign updates and the server's rule.

    The authors state only that the attack has access to the benign updates in every round, so this is `lmp` with full
    knowledge, the form that fits the rule, and the published scale b = 2; `lmp` has these as options.
    """

    needs: ClassVar[type[BlackBoxView]] = OmniscientView
    paper: ClassVar[str] = (
        "Fang et al., 2020, Local model poisoning attacks to Byzantine-robust federated learning, USENIX Security"
    )
    cost: ClassVar[str] = "O(n d), or O(n^2 d) against rules that choose by distance"
    assumption: ClassVar[str] = "the attacker knows the rule and this round's benign updates"

    def craft(self, view: OmniscientView) -> Matrix:
        return LocalModelPoisoning(form="auto", knowledge="full", scale=2.0).craft(view)
