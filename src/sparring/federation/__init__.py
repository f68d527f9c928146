"""Rounds of federated training under attack."""

from sparring.contracts import Model
from sparring.federation.measurement import Measures, deployed, measure
from sparring.federation.record import RoundRecord
from sparring.federation.round import play_round
from sparring.federation.scenario import Federation, Scenario
from sparring.federation.state import FederationState, initial_state
from sparring.federation.threat import Attacker, Knowledge, Threat
from sparring.federation.train import Result, play, train

__all__ = [
    "Attacker",
    "Federation",
    "FederationState",
    "Knowledge",
    "Measures",
    "Model",
    "Result",
    "RoundRecord",
    "Scenario",
    "Threat",
    "deployed",
    "initial_state",
    "measure",
    "play",
    "play_round",
    "train",
]
