"""A run on another device: nothing is left behind in main memory, and results agree to rounding.

Without a CUDA device it is pretended; the last tests play on a real one.
"""

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.arrays import Batch, gram, gram_by_torch, on_device, pixels, squared_distances, squared_distances_by_torch
from sparring.attacks import (
    InnerProduct,
    LabelFlip,
    LearnedAttack,
    LearnedTrigger,
    LocalSearchActions,
    PoisonedTraining,
    RawUpdateActions,
    TriggerTraining,
    attack_policy,
    save_trigger,
    train_trigger,
)
from sparring.attacks.backdoor.triggers.trigger_network import initialize_trigger
from sparring.contracts import Model, Recipe, Space
from sparring.data import Dataset, Iid, divide, from_arrays
from sparring.defenses import Krum, Mean
from sparring.defenses.aggregation.toolkit.arithmetic import (
    inner_mean,
    inner_mean_by_torch,
    weighted_sum,
    weighted_sum_by_torch,
)
from sparring.errors import ConfigError, Interrupted
from sparring.experiments import Observer, load_model, parse_config, resume, run
from sparring.experiments.config import memory
from sparring.experiments.jobs.save_pace import CheckpointInterval
from sparring.federation import Attacker, Federation, Scenario, Threat, simulate_rounds, train
from sparring.games.env import SeatEnv
from sparring.games.federated import attack_game, world_model
from sparring.inversion import GradientInversion, TriggerReversal, Unlearning, invert, reverse_triggers
from sparring.models import Cnn, Mlp, network
from sparring.policies import PolicyVersion, save_policy
from sparring.policies.network import PolicyNetwork
from sparring.policies.observation import observation_size
from sparring.random import stream
from sparring.training import Batched, Sequential, gradient
from tests.attacks import test_catalogue as attacks
from tests.defenses import test_catalogue as rules
from tests.defenses.post_training import test_catalogue as repairs
from tests.elsewhere import Elsewhere, elsewhere

ATTACKS = [example for examples in attacks.EXAMPLES.values() for example in examples]
POISONS = [example for examples in attacks.POISON_EXAMPLES.values() for example in examples]
CLOSE = 1e-4


def pictures() -> Dataset:
    """Return random images of ten classes."""
    rng = stream(0, "pictures")
    inputs = rng.integers(0, 256, (80, 28, 28), dtype=np.uint8)
    labels = np.arange(80) % 10
    return from_arrays("pictures", train=(inputs, labels), test=(inputs[:20], labels[:20]))


DATA = pictures()
RNG = stream(0, "devices")


def federation(model: object = Mlp(hidden=3), **changed: object) -> Federation:
    root = Batch(*(part[:20] for part in DATA.train))
    settings = {"sampled": 7, "recipe": Recipe(steps=2, batch=4, lr=0.1), **changed}
    shards = divide(DATA.train, Iid(), clients=8, seed=0)
    return Federation(network=network(model, DATA), shards=shards, test=DATA.test, root=root, **settings)


NET = federation().network


def constant(space: Space) -> PolicyNetwork:
    """Return a policy that always answers zeros."""
    return PolicyNetwork(((torch.zeros(space.action, space.observation), torch.zeros(space.action)),))


@pytest.fixture
def there(monkeypatch) -> Iterator[Elsewhere]:
    """Pretend that there is a CUDA device."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with elsewhere() as pretended:
        yield pretended


def played(scenario: Scenario, device: str, *, rounds: int = 2) -> torch.Tensor:
    """Return the parameters after some rounds, once all that the state holds was found to be on the device."""
    moved = replace(scenario, federation=scenario.federation.to(device))
    for state, _ in simulate_rounds(moved, rounds, every=1):
        held = [state.parameters, *state.momenta.values(), *([state.previous] if state.previous is not None else [])]
        assert {tensor.device.type for tensor in held} == {device}
    return state.parameters.cpu()


def agree(scenario: Scenario) -> None:
    here, elsewhere = (played(scenario, device) for device in ("cpu", "cuda"))
    torch.testing.assert_close(elsewhere, here, rtol=CLOSE, atol=CLOSE, equal_nan=True)


@pytest.mark.usefixtures("there")
class TestPretended:
    @pytest.mark.parametrize("example", rules.EXAMPLES.values(), ids=rules.EXAMPLES)
    def test_a_rule_stays_on_the_device(self, example):
        agree(Scenario(federation(), example.rule, [Attacker(1, InnerProduct())], Threat(assumed_malicious=0.1)))

    @pytest.mark.parametrize("attack", ATTACKS, ids=repr)
    def test_an_attack_stays_on_the_device(self, attack):
        poison = attack if hasattr(attack, "poison") else None
        # Of two benign updates neither is farther from their mean: mimic's choice would be one of rounding.
        attacker = Attacker(2, attack, poison)
        agree(Scenario(federation(), Krum(), [attacker, attacker], Threat(assumed_malicious=0.1)))

    @pytest.mark.parametrize("poison", POISONS, ids=repr)
    def test_a_poison_stays_on_the_device(self, poison):
        agree(Scenario(federation(), Mean(), [Attacker(3, poison=poison)]))

    @pytest.mark.parametrize("trigger", attacks.TRIGGER_EXAMPLES, ids=repr)
    def test_a_trigger_stays_on_the_device(self, trigger):
        backdoor = PoisonedTraining(trigger=trigger)
        agree(Scenario(federation(), Mean(), [Attacker(3, backdoor, backdoor, epochs=1.5)]))

    @pytest.mark.parametrize("repair", repairs.EXAMPLES.values(), ids=repairs.EXAMPLES)
    def test_a_repair_stays_on_the_device(self, repair):
        agree(Scenario(federation(Cnn(width=2)), Mean(), repair=repair))

    @pytest.mark.parametrize("backend", [Sequential(), Batched()])
    @pytest.mark.parametrize("model", [Cnn(width=2), Mlp(hidden=3)])
    @pytest.mark.parametrize("momentum", [0.0, 0.9])
    def test_a_backend_stays_on_the_device(self, backend, model, momentum):
        agree(
            Scenario(federation(model, backend=backend, momentum=momentum), Mean(), [Attacker(1, poison=LabelFlip())])
        )

    def test_a_learned_trigger_and_a_learned_attack_stay_on_the_device(self, tmp_path):
        trigger = initialize_trigger((1, 28, 28), epsilon=0.1, width=2, rng=stream(0, "trigger"))
        save_trigger(tmp_path / "trigger.safetensors", trigger)
        backdoor = PoisonedTraining(trigger=LearnedTrigger(str(tmp_path / "trigger.safetensors")))
        agree(Scenario(federation(), Mean(), [Attacker(3, backdoor, backdoor)]))
        size = observation_size(federation().network, 1)
        policies = (PolicyVersion(0, constant(Space(size, 2))),)
        for examples in (None, DATA.train):
            path = tmp_path / f"{examples is None}.safetensors"
            save_policy(
                path, attack_policy(policies, LocalSearchActions(scale=(0, 10), steps=(1, 3)), examples=examples)
            )
            agree(Scenario(federation(), Mean(), [Attacker(3, LearnedAttack(str(path)))]))

    def test_a_game_stays_on_the_device(self):
        seen = {}
        for device in ("cpu", "cuda"):
            world = world_model(Scenario(federation().to(device), Mean()), DATA.train)
            for acting, numbers in (
                (LocalSearchActions(scale=(0, 10), steps=(1, 3)), 2),
                (RawUpdateActions(), NET.size),
            ):
                env = SeatEnv(attack_game(world, malicious=3, acting=acting, rounds=4), "attacker")
                env.reset(seed=0)
                env.restore(env.snapshot())
                seen[device, numbers] = env.step(np.zeros(numbers, dtype=np.float32))[0]
        for numbers in (2, NET.size):
            np.testing.assert_allclose(seen["cuda", numbers], seen["cpu", numbers], atol=1e-3)

    def test_inversion_stays_on_the_device(self):
        secret = Batch(pixels(DATA.train.inputs[:2]), DATA.train.labels[:2])
        found = {}
        for device in ("cpu", "cuda"):
            moved = federation().to(device)
            model = Model(moved.network, moved.network.initial(stream(0, "model")))
            observed = gradient(model.network, model.parameters, batch=on_device(secret, device))
            search = GradientInversion(iterations=3, images=2)
            found[device] = invert(model, observed, shape=DATA.shape, rng=stream(0, "inversion"), search=search)
            reversal = TriggerReversal(steps=4, interval=2)
            triggers = reverse_triggers(model, moved.root, rng=stream(0, "reversal"), search=reversal)
            unlearned = Unlearning(steps=2).unlearn(model, triggers, root=moved.root, rng=stream(0, "un"))
            assert {each.device.type for each in (found[device].inputs, triggers[0].mask, unlearned.parameters)} == {
                device
            }
        torch.testing.assert_close(found["cuda"].inputs.cpu(), found["cpu"].inputs, rtol=1e-3, atol=1e-3)

    def test_a_trigger_is_trained_on_the_device(self):
        moved = federation().to("cuda")
        training = TriggerTraining(steps=2, batch=4, width=2)
        trained = train_trigger(moved.network, on_device(DATA.train, "cuda"), target=2, rng=RNG, training=training)
        assert trained.classifier.device.type == "cuda"

    def test_a_run_is_written_and_resumed(self, tmp_path, monkeypatch):
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "pretended")
        monkeypatch.setattr(memory, "memory_of", lambda device: 1 << 40)
        document = {
            "data": {"name": "synthetic", "root_size": 10},
            "model": {"name": "logistic"},
            "federation": {"clients": 10, "sampled": 5, "rounds": 4, "batch": 4, "momentum": 0.5},
            "attack": {"name": "ipm", "malicious": 2},
            "defense": {"name": "safeguard"},
            "execution": {"device": "cuda"},
        }
        config = parse_config(document)
        outcome = run(config, tmp_path / "whole", cadence=CheckpointInterval(0, 1.0))
        stops = iter([False, False, True])
        with pytest.raises(Interrupted):
            run(config, tmp_path / "stopped", observer=Observer(wants_stop=lambda: next(stops, False)))
        resumed = resume(tmp_path / "stopped")
        assert resumed.result == outcome.result
        manifest = json.loads((tmp_path / "whole" / "manifest.json").read_text())
        assert (manifest["device"], manifest["device_name"]) == ("cuda", "pretended")
        loaded = load_model(outcome.folder)
        assert loaded.parameters.device.type == "cpu"

    def test_records_are_numbers(self):
        scenario = Scenario(federation().to("cuda"), Mean(), [Attacker(2, InnerProduct())])
        here = replace(scenario, federation=federation())
        assert [record.sampled for record in train(scenario, rounds=2).records] == [
            record.sampled for record in train(here, rounds=2).records
        ]


CENTER = torch.linspace(-1, 1, 3000)
MATRICES = {
    "spread": torch.from_numpy(stream(0, "spread").standard_normal((9, 3000), dtype=np.float32)),
    "far": 1e4 + torch.from_numpy(stream(0, "far").standard_normal((8, 3000), dtype=np.float32)),
    "large": 1e36 * torch.from_numpy(stream(0, "large").standard_normal((5, 3000), dtype=np.float32)),
    "equal": torch.ones(4, 3000),
    "single": torch.ones(1, 3000),
    "none": torch.ones(0, 3000),
    "double": torch.from_numpy(stream(0, "double").standard_normal((7, 3000))),
}


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
class TestWithoutKernels:
    """What takes the place of compiled loops on another device comes to the same."""

    def test_inner_means_agree(self, matrix):
        for trim in range((len(matrix) + 1) // 2 + 1):
            torch.testing.assert_close(inner_mean_by_torch(matrix, trim), inner_mean(matrix, trim))

    def test_weighted_sums_agree(self, matrix):
        weights = torch.arange(len(matrix), dtype=torch.float64)
        spoiled = matrix.clone()
        spoiled[:1] = torch.nan  # its weight is zero
        torch.testing.assert_close(weighted_sum_by_torch(weights, spoiled), weighted_sum(weights, spoiled))

    def test_distances_agree(self, matrix):
        torch.testing.assert_close(squared_distances_by_torch(matrix), squared_distances(matrix), rtol=1e-5, atol=1e-12)

    def test_inner_products_agree(self, matrix):
        center = CENTER.to(matrix.dtype)
        scale = float(gram(matrix, center).abs().max()) if len(matrix) else 1.0
        torch.testing.assert_close(gram_by_torch(matrix, center), gram(matrix, center), rtol=1e-9, atol=1e-9 * scale)


def test_a_device_that_is_not_there_is_refused():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(ConfigError, match="federation is 'cuda'; torch sees no such device here, use 'cpu'"):
        federation().to("cuda")


def test_the_pretended_device_finds_what_was_left_behind(there):
    matrix = torch.ones(3, 2).to("cuda")
    for fault in (
        lambda: matrix + torch.ones(2),
        lambda: matrix.add_(torch.ones(3, 2)),
        lambda: matrix @ torch.ones(2),
        lambda: torch.cat([matrix, torch.ones(1, 2)]),
        lambda: torch.stack([matrix.sum(), torch.ones(())]),
        lambda: torch.ones(3, 2)[matrix > 0],
        lambda: matrix.index_select(0, torch.zeros(1, dtype=torch.int64)),
    ):
        with pytest.raises(RuntimeError, match="others are on cuda"):
            fault()
    with pytest.raises(TypeError, match="can't convert cuda"):
        matrix.numpy()
    assert (matrix + torch.tensor(1.0)).device == matrix[torch.tensor([0])].device == matrix.device
    assert (matrix.device.type, matrix.cpu().device.type, torch.zeros_like(matrix).device.type) == (
        "cuda",
        "cpu",
        "cuda",
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
class TestReal:
    """The same on a device that there is."""

    @pytest.mark.parametrize("example", rules.EXAMPLES.values(), ids=rules.EXAMPLES)
    def test_a_rule_agrees(self, example):
        agree(Scenario(federation(), example.rule, [Attacker(1, InnerProduct())], Threat(assumed_malicious=0.1)))

    @pytest.mark.parametrize("attack", ATTACKS, ids=repr)
    def test_an_attack_agrees(self, attack):
        attacker = Attacker(3, attack, attack if hasattr(attack, "poison") else None)
        agree(Scenario(federation(), Mean(), [attacker]))

    @pytest.mark.parametrize("repair", repairs.EXAMPLES.values(), ids=repairs.EXAMPLES)
    def test_a_repair_agrees(self, repair):
        agree(Scenario(federation(Cnn(width=2)), Mean(), repair=repair))

    @pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
    def test_sums_and_distances_agree(self, matrix):
        there = matrix.to("cuda")
        torch.testing.assert_close(inner_mean(there, 1).cpu(), inner_mean(matrix, 1))
        torch.testing.assert_close(squared_distances(there).cpu(), squared_distances(matrix), rtol=1e-5, atol=1e-12)

    def test_a_run_repeats_itself(self, tmp_path):
        document = {"data": {"name": "synthetic"}, "model": {"name": "logistic"}, "execution": {"device": "cuda"}}
        config = parse_config({**document, "federation": {"clients": 10, "sampled": 5, "rounds": 4, "batch": 4}})
        outcomes = [run(config, tmp_path / name).result for name in ("one", "other")]
        assert outcomes[0] == outcomes[1]
