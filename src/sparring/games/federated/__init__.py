"""The federated Markov game between attackers and a server, round by round."""

from sparring.games.federated.attack_types import AttackType, SeatControlled
from sparring.games.federated.builders import ATTACKER, attack_game, robust_objective, world_model
from sparring.games.federated.game import DEFENDER, FederatedGame, GameState
from sparring.games.federated.objectives import (
    BackdoorAccuracyObjective,
    BackdoorObjective,
    DefenderObjective,
    ErrorObjective,
    MixedObjective,
    Objective,
    RobustDefenderObjective,
    SurrogateBackdoorObjective,
    UntargetedObjective,
)
from sparring.games.federated.seats import AttackerSeat, DefenderSeat

__all__ = [
    "ATTACKER",
    "DEFENDER",
    "AttackType",
    "AttackerSeat",
    "BackdoorAccuracyObjective",
    "BackdoorObjective",
    "DefenderObjective",
    "DefenderSeat",
    "ErrorObjective",
    "FederatedGame",
    "GameState",
    "MixedObjective",
    "Objective",
    "RobustDefenderObjective",
    "SeatControlled",
    "SurrogateBackdoorObjective",
    "UntargetedObjective",
    "attack_game",
    "robust_objective",
    "world_model",
]
