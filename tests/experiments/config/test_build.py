import pytest
import torch

from sparring.attacks import Bars, InnerProduct, LabelFlip, PoisonedTraining
from sparring.contracts import Recipe
from sparring.defenses import CenteredClipping, Clipped, Median, NeuroClip, NoRepair
from sparring.errors import ConfigError
from sparring.experiments.config.build import build_scenario, load_dataset, validate
from sparring.training import Batched
from tests.experiments.small import small


def assembled(*settings):
    config = small(*settings)
    return build_scenario(config, load_dataset(config))


def refusal(*settings):
    with pytest.raises(ConfigError) as raised:
        validate(small(*settings))
    return str(raised.value)


def test_settings_become_players():
    scenario = assembled("execution.backend=batched", "attack.scale=3")
    assert scenario.defense == CenteredClipping()
    assert [attacker.attack for attacker in scenario.attackers] == [InnerProduct(3.0)]
    assert isinstance(scenario.federation.backend, Batched)
    assert scenario.federation.clients == 8
    assert scenario.federation.momentum == 0.5


def test_wrapped_rules_are_built_from_the_inside():
    scenario = assembled("defense={name: clipped, max_norm: 3, inner: {name: median}}")
    assert scenario.defense == Clipped(Median(), 3.0)


def test_a_poison_learns_the_classes_from_the_data():
    (attacker,) = assembled("attack={name: label_flip, malicious: 1, start: 2}").attackers
    assert (attacker.poison, attacker.attack, attacker.start) == (LabelFlip(4), None, 2)


IMAGES = ("data={name: digits, size: 28, root_size: 20}", "attack=")


def test_one_player_may_play_both_the_attack_and_the_poison():
    settings = "attacks=[{name: bfl, malicious: 1, target: 3}, {name: dba, malicious: 2}, {name: ipm, malicious: 1}]"
    scenario = assembled(*IMAGES, settings)
    both, poison, attack = scenario.attackers
    assert both.attack is both.poison
    assert both.poison == PoisonedTraining(trigger=Bars(), target=3)
    assert (poison.attack, attack.poison) == (None, None)
    assert scenario.backdoors == (both.poison, poison.poison)


def test_an_attacker_trains_as_it_says_and_else_as_the_federation_does():
    settings = "attacks=[{name: ipm, malicious: 1}, {name: ipm, malicious: 1, local_epochs: 6, lr: 0.1}]"
    plain, own = assembled("attack=", settings).attackers
    assert (plain.recipe, plain.epochs) == (Recipe(1, 4, 0.05), None)
    assert (own.recipe, own.epochs) == (Recipe(1, 4, 0.1), 6.0)
    (steps,) = assembled("attack.local_steps=3", "attack.batch=9").attackers
    assert steps.recipe == Recipe(3, 9, 0.05)


def test_a_post_training_defense_is_built_too():
    assert assembled().repair == NoRepair()
    assert assembled("model.name=mlp", "post_training={name: neuroclip, bound: 2}").repair == NeuroClip(2.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["post_training={name: prun, count: 16}", "model.name=lenet"],
            "prun: count=16; layer '3' has 16 channels, use count < 16",
        ),
        (["post_training.name=neuroclip"], "neuroclip: the model has no hidden activations; use one with a hidden"),
        (
            ["post_training.name=clp", "model={name: resnet18, width: 4, norm: batch}"],
            "clp: the model divides each channel by a statistic of the batch; use resnet18.norm=group",
        ),
    ],
)
def test_a_repair_that_does_not_fit_the_model_is_refused_before_anything_is_played(settings, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        assembled(*IMAGES, *settings)


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        ("{name: bfl, malicious: 1, target: 10}", "bfl.target is 10; with 10 classes it must be 0 to 9"),
        (
            "{name: pgd, malicious: 1, trigger: {name: square, row: 40, column: 0}}",
            "trigger square: rows 40 to 42, columns 0 to 2 are outside an image of 28×28 pixels",
        ),
    ],
)
def test_a_backdoor_that_does_not_fit_the_data_is_refused_before_anything_is_played(attack, message):
    with pytest.raises(ConfigError, match=message):
        assembled(*IMAGES, f"attack={attack}")


def test_the_partition_depends_on_the_seed_and_not_on_the_players():
    order = assembled().federation.shards.partition.order
    assert torch.equal(assembled("defense.name=median", "attack=").federation.shards.partition.order, order)
    assert not torch.equal(assembled("seed=1").federation.shards.partition.order, order)


def test_the_server_holds_as_many_examples_as_it_is_given():
    assert len(assembled("data.root_size=7").federation.root.labels) == 7
    assert assembled("data.root_size=0").federation.root is None
    assert set(assembled("data.root_size=9", "data.root_bias=1").federation.root.labels.tolist()) == {0}


def test_a_model_is_measured_on_the_examples_that_are_asked_for():
    config = small("data.validation=0.25", "evaluation.on=validation")
    dataset = load_dataset(config)
    assert build_scenario(config, dataset).federation.test is dataset.validation
    assert len(dataset.validation.labels) == 40
    assert build_scenario(small("data.validation=0.25"), dataset).federation.test is dataset.test


def test_a_validation_split_must_be_there_to_measure_on():
    with pytest.raises(ConfigError, match="evaluation.on is 'validation'; there is no validation split"):
        assembled("evaluation.on=validation")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["federation.sampled=9"], "federation.sampled is 9; it must be from 1 to clients (8)"),
        (["attack.malicious=9"], "attack.malicious is 9; there are 8 clients"),
        (
            ["defense.name=krum", "threat.assumed_malicious=0.5"],
            "defense Krum: 2 of 4 sampled clients are assumed malicious, it can take 0; "
            "use threat.assumed_malicious <= 0",
        ),
        (
            ["threat.knowledge=black_box"],
            "attack InnerProduct needs omniscient knowledge, threat.knowledge grants black_box; "
            "use threat.knowledge=omniscient",
        ),
        (
            ["data.root_size=0", "post_training.name=prun"],
            "post_training Prun needs root data; use data.root_size >= 1",
        ),
        (["data.root_size=0", "defense.name=fltrust"], "defense FLTrust needs root data; use data.root_size >= 1"),
    ],
)
def test_contradictions_are_refused_before_any_data_is_read(settings, message, monkeypatch):
    monkeypatch.setenv("SPARRING_DATA", "nowhere")
    assert refusal("data={name: mnist}", *settings) == message


@pytest.mark.parametrize("clients", [1, 2, 1000])
def test_the_stand_in_suits_any_number_of_clients(clients):
    alone = ("federation.sampled=1", "attack=", "threat.assumed_malicious=0", "data.validation=0.01")
    validate(small(f"federation.clients={clients}", *alone))


LEARNING = ("data={name: digits, root_size: 20}", "model={name: mlp, hidden: 4}", "attack=")


@pytest.mark.parametrize(
    ("repair", "step"),
    [
        ("mm_bm", "sparring.defenses.post_training.mm_bm._descend"),
        ("fine_pruning", "sparring.training.gradients.gradient"),
    ],
)
def test_a_repair_that_learns_is_checked_without_learning(repair, step, monkeypatch):
    monkeypatch.setattr(step, None)
    scenario = assembled(*LEARNING, f"post_training.name={repair}")
    assert scenario.repair is not None


@pytest.mark.parametrize("repair", ["mm_bm", "fine_pruning"])
def test_a_repair_that_learns_refuses_a_model_that_it_does_not_fit(repair):
    with pytest.raises(ConfigError, match=f"^{repair}: the model has no hidden"):
        assembled(*LEARNING, "model={name: logistic}", f"post_training.name={repair}")
