"""Minibatch training under perturbation: one learner, an attacker and a defender who reason about each other."""

from sparring.games.recursive.black_box import BlackBoxAttack, record_attack
from sparring.games.recursive.central import (
    CENTRAL_CODEC,
    CentralState,
    CentralTraining,
    initial_central_state,
    play_minibatch,
    preparing_players,
    simulate_central,
    train_central,
)
from sparring.games.recursive.measurement import CentralMeasures, CentralRecord, measure_central
from sparring.games.recursive.robustness import measure_robust_accuracy

__all__ = [
    "CENTRAL_CODEC",
    "BlackBoxAttack",
    "CentralMeasures",
    "CentralRecord",
    "CentralState",
    "CentralTraining",
    "initial_central_state",
    "measure_central",
    "measure_robust_accuracy",
    "play_minibatch",
    "preparing_players",
    "record_attack",
    "simulate_central",
    "train_central",
]
