"""Simulation of federated training under attack, round by round."""

from sparring.contracts import Model
from sparring.federation.evaluation import Measures, measure, repair_model
from sparring.federation.record import RoundRecord
from sparring.federation.round import play_round, play_rounds
from sparring.federation.scenario import Federation, Scenario
from sparring.federation.simulation import Result, simulate_rounds, train
from sparring.federation.state import FederationState, initial_state
from sparring.federation.threat import Attacker, Knowledge, Threat

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
    "initial_state",
    "measure",
    "play_round",
    "play_rounds",
    "repair_model",
    "simulate_rounds",
    "train",
]
