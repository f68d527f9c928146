"""How a seat of the federated game plays: what it sees, what its actions mean, and what it gains."""

from dataclasses import dataclass
from typing import Literal

from sparring.attacks.learned.acting import ActionDecoder
from sparring.contracts import Network, Space
from sparring.defenses.learned.actions import DefenseActions
from sparring.games.federated.objectives import Objective
from sparring.models.summary import seen_parameters
from sparring.policies.observation import observation_size

Gain = Literal["rise", "level"]
"""Whether a seat gains what its objective rises by in a step (Li et al., 2022), or its level after it (MSG)."""


@dataclass(frozen=True, eq=False)
class AttackerSeat:
    """An attacker's seat: it sees the last layers of the model, and how many of its clients are sampled."""

    acting: ActionDecoder
    objective: Objective
    gain: Gain = "rise"
    layers: int | None = 1
    """None shows all parameters as they are, for small models."""
    is_deployed: bool = False
    """Whether the objective looks at the model after the post-training defense."""

    def space(self, network: Network) -> Space:
        """Return the sizes of what the seat sees and answers."""
        size = observation_size(network, self.layers)
        return Space(size, self.acting.size(network), self.layers is not None)


@dataclass(frozen=True, eq=False)
class DefenderSeat:
    """The server's seat: it sees the last layers of the model, and nothing that a server cannot know."""

    acting: DefenseActions
    objective: Objective
    gain: Gain = "level"
    layers: int | None = 2
    is_deployed: bool = True

    def space(self, network: Network) -> Space:
        """Return the sizes of what the seat sees and answers."""
        seen = len(range(network.size)[seen_parameters(network, self.layers)])
        return Space(seen, self.acting.size, self.layers is not None)
