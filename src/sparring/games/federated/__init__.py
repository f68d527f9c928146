"""The federated Markov game: attackers against a server, round by round."""

from sparring.games.federated.attack_type import AttackType, Seated
from sparring.games.federated.federated_game import DEFENDER, FederatedGame, GameState
from sparring.games.federated.objectives import Damage, Implant, Mixed, Objective, Service, Surrogate
from sparring.games.federated.roles import AttackerRole, DefenderRole
from sparring.games.federated.world_model import ATTACKER, attack_game, world_model

__all__ = [
    "ATTACKER",
    "DEFENDER",
    "AttackType",
    "AttackerRole",
    "Damage",
    "DefenderRole",
    "FederatedGame",
    "GameState",
    "Implant",
    "Mixed",
    "Objective",
    "Seated",
    "Service",
    "Surrogate",
    "attack_game",
    "world_model",
]
