"""An attacker's world model (Li et al., 2022, section 4.3), in which benign clients draw from a mixture."""

from dataclasses import replace

from sparring.arrays import Batch, on_device
from sparring.attacks.learned.acting import ActionDecoder
from sparring.data import CommonShards
from sparring.federation import Attacker, Scenario
from sparring.federation.scenario import check_scenario
from sparring.games.federated.attack_types import AttackType, SeatControlled
from sparring.games.federated.game import FederatedGame
from sparring.games.federated.objectives import CEILING, UntargetedObjective
from sparring.games.federated.seats import AttackerSeat
from sparring.validation import check_batch

ATTACKER = "attacker"


def world_model(scenario: Scenario, mixture: Batch) -> Scenario:
    """Return the same federation with all data replaced by `mixture`: clients', root and test data."""
    check_scenario("world_model: scenario", scenario)
    check_batch("world_model: mixture", mixture, example="data.train")
    federation, mixture = scenario.federation, on_device(mixture, scenario.federation.device)
    imagined = replace(
        federation,
        shards=CommonShards(mixture, federation.clients),
        test=mixture,
        root=None if federation.root is None else mixture,
    )
    return replace(scenario, federation=imagined, attackers=())


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
