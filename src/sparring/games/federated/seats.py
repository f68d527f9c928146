"""Settings of a seat in the federated game: observation, actions and reward."""

from dataclasses import dataclass
from typing import Literal

from sparring.attacks.learned.acting import ActionDecoder
from sparring.attacks.learned.team_acting import TeamActions
from sparring.contracts import Network, Space
from sparring.defenses.learned.actions import PlanDecoder
from sparring.games.federated.objectives import SeatObjective
from sparring.models.summary import seen_parameters
from sparring.policies.observation import Features, observation_size

Gain = Literal["rise", "level", "late", "end"]
"""Whether the reward is the rise of the objective in a step (Li et al., 2022), or its level after the step (MSG).

`late` and `end` count the level in the second half of an episode, or after its last step, and 0 before."""


@dataclass(frozen=True, eq=False)
class AttackerSeat:
    """An attacker's seat: it observes the model's last layers, and how many of its clients are sampled.

    With `TeamActions` it is the seat of a team, whose members are the sampled malicious clients: a client's rank is its
    position among them in ascending order, and the reward is that of all members.
    """

    acting: ActionDecoder
    objective: SeatObjective
    gain: Gain = "rise"
    layers: int | None = 1
    """None means all parameters, unscaled, for small models."""
    is_deployed: bool = False
    """Whether the objective evaluates the model after the post-training defense."""
    features: Features | None = None
    """What it observes beside the model; its policies are saved with the same."""

    def space(self, network: Network) -> Space:
        """Return the dimensions of the seat's observation and action."""
        size = observation_size(network, self.layers, self.features)
        team = self.acting.team if isinstance(self.acting, TeamActions) else None
        return Space(size, self.acting.size(network), self.layers is not None, team)


@dataclass(frozen=True, eq=False)
class DefenderSeat:
    """The server's seat: it observes the model's last layers, and nothing that a server cannot know."""

    acting: PlanDecoder
    objective: SeatObjective
    gain: Gain = "level"
    layers: int | None = 1
    is_deployed: bool = True

    def space(self, network: Network) -> Space:
        """Return the dimensions of the seat's observation and action."""
        seen = len(range(network.size)[seen_parameters(network, self.layers)])
        return Space(seen, self.acting.size, self.layers is not None)
