"""The data and observations that attackers have when they pre-train a policy (Li et al., 2022, section 6.1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from sparring.arrays import Batch
from sparring.data import draw_examples
from sparring.errors import ConfigError
from sparring.federation import FederationState, Scenario, initial_state, play_round
from sparring.learning.distribution.denoising import Denoising, train_denoiser
from sparring.learning.distribution.leaked_gradients import (
    EstimatedGradient,
    estimated_gradients,
    observed_models,
    step_size,
)
from sparring.learning.distribution.reconstruction import learned_mixture
from sparring.random import Generator, stream


@dataclass(frozen=True, eq=False)
class ObservedTraining:
    """The rounds in which an attacker trains honestly and observes."""

    own: Batch
    """The examples that its clients share."""
    states: Sequence[FederationState]
    """The federation's state before each round, and at the start of the attack."""
    leaks: Sequence[EstimatedGradient]
    """Gradients estimated from the models that its clients received."""


def observe_training(scenario: Scenario, rounds: int, *, own: int) -> ObservedTraining:
    """Simulate the first rounds with malicious clients that train honestly; they share `own` examples, or all."""
    if rounds < 1:
        raise ConfigError(f"observed training: rounds is {rounds}; it must be at least 1")
    states = list(_simulate(scenario, rounds))
    seen = observed_models(scenario, states)
    leaked = estimated_gradients(seen, lr=step_size(scenario.federation))
    return ObservedTraining(shared_examples(scenario, own), states, list(leaked))


def shared_examples(scenario: Scenario, size: int) -> Batch:
    """Return `size` random examples of those that malicious clients hold, or all if there are no more."""
    return draw_examples(held_examples(scenario), size, rng=stream(scenario.federation.seed, "shared examples"))


def held_examples(scenario: Scenario) -> Batch:
    """Return all examples that malicious clients hold, client by client."""
    held = [party.shards[client] for party in scenario.parties for client in party.clients]
    if not held:
        raise ConfigError("observed training: there are no malicious clients; use attack.malicious > 0")
    return Batch(*(torch.cat(parts) for parts in zip(*held, strict=True)))


def unlabeled(examples: Batch) -> Batch:
    """Return the examples without label information: all labels are set to 0."""
    return Batch(examples.inputs, torch.zeros_like(examples.labels))


def cleaned_mixture(
    reconstructed: Batch, own: Batch, *, is_labeled: bool, rng: Generator, denoising: Denoising
) -> Batch:
    """Return the learned mixture, after an autoencoder trained on the own examples has cleaned its images.

    Own examples without labels (RLA's RL0) are used only to train the autoencoder.
    """
    denoiser = train_denoiser(own.inputs, rng=rng, training=denoising)
    cleaned = Batch(denoiser.clean(reconstructed.inputs), reconstructed.labels)
    return learned_mixture(cleaned, own) if is_labeled else cleaned


def _simulate(scenario: Scenario, rounds: int) -> Iterator[FederationState]:
    state = initial_state(scenario.federation)
    yield state
    for _ in range(rounds):
        state, _ = play_round(scenario, state)
        yield state
