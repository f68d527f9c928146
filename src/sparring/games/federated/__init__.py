"""The federated Markov game between attackers and a server, round by round."""

from sparring.games.federated.attack_types import AttackType, SeatControlled
from sparring.games.federated.builders import ATTACKER, attack_game, robust_objective, team_game, team_of, world_model
from sparring.games.federated.domain import (
    AttackDomain,
    DefenderTerms,
    DomainType,
    LearningAttacker,
    TypedGame,
    follower_games,
    typed_games,
)
from sparring.games.federated.game import DEFENDER, FederatedGame, GameState
from sparring.games.federated.objectives import (
    BackdoorAccuracyObjective,
    BackdoorObjective,
    DefenderObjective,
    ErrorObjective,
    MixedObjective,
    RobustDefenderObjective,
    SeatObjective,
    SurrogateBackdoorObjective,
    UntargetedObjective,
)
from sparring.games.federated.seats import AttackerSeat, DefenderSeat

__all__ = [
    "ATTACKER",
    "DEFENDER",
    "AttackDomain",
    "AttackType",
    "AttackerSeat",
    "BackdoorAccuracyObjective",
    "BackdoorObjective",
    "DefenderObjective",
    "DefenderSeat",
    "DefenderTerms",
    "DomainType",
    "ErrorObjective",
    "FederatedGame",
    "GameState",
    "LearningAttacker",
    "MixedObjective",
    "RobustDefenderObjective",
    "SeatControlled",
    "SeatObjective",
    "SurrogateBackdoorObjective",
    "TypedGame",
    "UntargetedObjective",
    "attack_game",
    "follower_games",
    "robust_objective",
    "team_game",
    "team_of",
    "typed_games",
    "world_model",
]
