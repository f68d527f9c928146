"""What attackers hold and have seen of a training when they rehearse for it (Li et al., 2022, section 6.1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from sparring.arrays import Batch
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
    """The rounds in which an attacker behaves."""

    own: Batch
    """The examples that its clients share."""
    states: Sequence[FederationState]
    """The federation before each round, and when the attack begins."""
    leaks: Sequence[EstimatedGradient]
    """What the models that its clients were sent give away."""


def observe_training(scenario: Scenario, rounds: int, *, own: int) -> ObservedTraining:
    """Play the first rounds of a training whose malicious clients behave; they share `own` examples, or all."""
    if rounds < 1:
        raise ConfigError(f"witness: rounds is {rounds}; it must be at least 1")
    states = list(_played(scenario, rounds))
    seen = observed_models(scenario, states)
    leaked = estimated_gradients(seen, lr=step_size(scenario.federation))
    return ObservedTraining(shared_examples(scenario, own), states, list(leaked))


def shared_examples(scenario: Scenario, size: int) -> Batch:
    """Return `size` examples of those that malicious clients hold, at random, or all if they are no more."""
    return drawn(held_examples(scenario), size, rng=stream(scenario.federation.seed, "shared examples"))


def held_examples(scenario: Scenario) -> Batch:
    """Return all examples that malicious clients hold, client by client."""
    held = [party.shards[client] for party in scenario.parties for client in party.clients]
    if not held:
        raise ConfigError("witness: there are no malicious clients; use attack.malicious > 0")
    return Batch(*(torch.cat(parts) for parts in zip(*held, strict=True)))


def drawn(examples: Batch, size: int, *, rng: Generator) -> Batch:
    """Return `size` of the examples at random, or all if they are no more."""
    count = len(examples.labels)
    chosen = torch.from_numpy(rng.choice(count, min(size, count), replace=False))
    return Batch(examples.inputs[chosen], examples.labels[chosen])


def unlabeled(examples: Batch) -> Batch:
    """Return examples that tell nothing of their classes: all of them are said to be of the same."""
    return Batch(examples.inputs, torch.zeros_like(examples.labels))


def cleaned_mixture(
    reconstructed: Batch, own: Batch, *, is_labeled: bool, rng: Generator, denoising: Denoising
) -> Batch:
    """Return the learned mixture, whose reconstructed images an autoencoder has cleaned that knows the own ones.

    Own images without labels (RLA's RL0) are of use for that alone.
    """
    denoiser = train_denoiser(own.inputs, rng=rng, training=denoising)
    cleaned = Batch(denoiser.clean(reconstructed.inputs), reconstructed.labels)
    return learned_mixture(cleaned, own) if is_labeled else cleaned


def _played(scenario: Scenario, rounds: int) -> Iterator[FederationState]:
    state = initial_state(scenario.federation)
    yield state
    for _ in range(rounds):
        state, _ = play_round(scenario, state)
        yield state
