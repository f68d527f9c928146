"""An attacker's world model (Li et al., 2022, section 4.3) and game, and a defender's objective on root data."""

from collections.abc import Sequence
from dataclasses import replace

from sparring.arrays import Batch, on_device
from sparring.attacks.learned.acting import ActionDecoder
from sparring.contracts import Backdoor
from sparring.data import CommonShards, draw_examples
from sparring.errors import ConfigError
from sparring.federation import Attacker, Federation, Scenario
from sparring.federation.scenario import check_scenario
from sparring.games.federated.attack_types import AttackType, SeatControlled
from sparring.games.federated.game import FederatedGame
from sparring.games.federated.objectives import CEILING, RobustDefenderObjective, UntargetedObjective
from sparring.games.federated.seats import AttackerSeat
from sparring.random import stream
from sparring.training import Auto
from sparring.validation import at_least, check_batch

ATTACKER = "attacker"


def world_model(scenario: Scenario, mixture: Batch, *, tested: int | None = None) -> Scenario:
    """Return the same federation with all data replaced by `mixture`: clients', root and test data.

    Models are evaluated, and so rewards computed, on `tested` examples of the mixture, drawn once; None means on all.
    """
    check_scenario("world_model: scenario", scenario)
    check_batch("world_model: mixture", mixture, example="data.train")
    federation, mixture = scenario.federation, on_device(mixture, scenario.federation.device)
    imagined = replace(
        federation,
        shards=CommonShards(mixture, federation.clients),
        test=mixture if tested is None else _draw_tested(mixture, tested, seed=federation.seed),
        root=None if federation.root is None else mixture,
        backend=Auto(pooled=True) if federation.backend == Auto() else federation.backend,
    )
    return replace(scenario, federation=imagined, attackers=())


def _draw_tested(mixture: Batch, size: int, *, seed: int) -> Batch:
    at_least(1, "world_model", tested=size)
    return draw_examples(mixture, size, rng=stream(seed, "tested"))


def attack_game(
    scenario: Scenario,
    *,
    malicious: int,
    acting: ActionDecoder,
    rounds: int,
    layers: int | None = 1,
    ceiling: float = CEILING,
) -> FederatedGame:
    """Return RLA's game on a federation: one seat controls all malicious clients; its reward is the rise in loss."""
    check_scenario("game: scenario", scenario)
    kind = AttackType((Attacker(malicious, SeatControlled(ATTACKER)),))
    role = AttackerSeat(acting, UntargetedObjective(scenario.federation.test, ceiling), layers=layers)
    return FederatedGame(scenario, (kind,), {ATTACKER: role}, rounds)


def robust_objective(
    federation: Federation, backdoors: Sequence[Backdoor], *, weight: float = 0.5, ceiling: float = 3.0
) -> RobustDefenderObjective:
    """Return the objective of a server that prevents these backdoors, on its root data and never on test data.

    A backdoor is measured on the images that it is meant for.
    """
    if federation.root is None:
        raise ConfigError("a defender's objective needs root data; use data.root_size >= 1")
    triggered = [_with_true_labels(backdoor, federation.root) for backdoor in backdoors]
    return RobustDefenderObjective(triggered, federation.root, weight, ceiling)


def _with_true_labels(backdoor: Backdoor, examples: Batch) -> Batch:
    meant = backdoor.meant(examples.labels)
    if not meant.any():
        raise ConfigError(f"the root data have no image that {type(backdoor).__name__} is meant for; use more of them")
    chosen = Batch(examples.inputs[meant], examples.labels[meant])
    return Batch(backdoor.triggered(chosen).inputs, chosen.labels)
