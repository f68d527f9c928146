"""An attacker's world model (Li et al., 2022, section 4.3) and game, and a defender's objective on root data."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sparring.arrays import Batch, on_device
from sparring.attacks.learned.acting import ActionDecoder
from sparring.attacks.learned.team_acting import MemberDecoder, TeamActions
from sparring.contracts import Backdoor, Team
from sparring.data import ClientShards, CommonShards, MixedShards, draw_examples
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


def world_model(
    scenario: Scenario, mixture: Batch, *, tested: int | None = None, own: Collection[int] = ()
) -> Scenario:
    """Return the same federation with all data replaced by `mixture`: clients', root and test data.

    Models are evaluated, and so rewards computed, on `tested` examples of the mixture, drawn once; None means on all.
    `own` are clients that keep their shards, since attackers know what they hold (MARL, appendix D.2); malicious
    clients are the first.
    """
    check_scenario("world_model: scenario", scenario)
    check_batch("world_model: mixture", mixture, example="data.train")
    federation, mixture = scenario.federation, on_device(mixture, scenario.federation.device)
    imagined = replace(
        federation,
        shards=_imagine_shards(mixture, federation, own),
        test=mixture if tested is None else _draw_tested(mixture, tested, seed=federation.seed),
        root=None if federation.root is None else mixture,
        backend=Auto(pooled=True) if federation.backend == Auto() else federation.backend,
    )
    return replace(scenario, federation=imagined, attackers=())


def _imagine_shards(mixture: Batch, federation: Federation, own: Collection[int]) -> CommonShards | MixedShards:
    common = CommonShards(mixture, federation.clients)
    if not own:
        return common
    held = federation.shards
    if not isinstance(held, ClientShards):
        raise ConfigError(
            f"world_model: own is given, and clients hold {type(held).__name__}; divide examples among them"
        )
    return MixedShards(common, held, frozenset(own))


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


def team_of(federation: Federation, malicious: int) -> Team:
    """Return the team of a federation's malicious clients: as many ranks as can be sampled in a round."""
    return Team(ranks=min(malicious, federation.sampled), whole=federation.sampled)


def team_game(
    scenario: Scenario,
    *,
    malicious: int,
    acting: MemberDecoder,
    rounds: int,
    layers: int | None = 1,
    ceiling: float = CEILING,
) -> FederatedGame:
    """Return MARL's game on a federation: one seat of a team, an action for each rank (section 3.2).

    The members observe the model and the share of malicious clients sampled; they share the rise in loss as a reward.
    """
    check_scenario("game: scenario", scenario)
    together = TeamActions(acting, team_of(scenario.federation, malicious))
    return attack_game(scenario, malicious=malicious, acting=together, rounds=rounds, layers=layers, ceiling=ceiling)


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
