"""What the presets of R2T2 play, and what they compare it with."""

from dataclasses import replace
from itertools import product

import pytest

from sparring.experiments.analysis.claims import judge_claim
from sparring.experiments.reproductions import PRESETS
from sparring.experiments.reproductions.preset import SCALES
from sparring.experiments.reproductions.r2t2.setting import CIFAR10, MNIST, MNIST_CNN
from sparring.experiments.sweeps import plan_sweep
from sparring.models import MODELS, network
from sparring.registry import build
from tests.experiments.frames import made_frame
from tests.settings import Facts

NAMES = tuple(name for name in PRESETS if name.startswith("r2t2"))
TABLES = ("r2t2-table2", "r2t2-table2-cifar10")


def first_runs(name, scale):
    """Return the configurations of the first seed by defense, attack and the labels on further axes."""
    document = PRESETS[name].document(scale)
    cells = plan_sweep({**document, "axes": {**document["axes"], "seed": [0]}}).cells
    return {tuple(label for axis, label in cell.labels.items() if axis != "seed"): cell.config for cell in cells}


@pytest.mark.parametrize(("name", "scale"), list(product(NAMES, SCALES[1:])))
def test_both_players_have_the_published_bound_unless_it_is_varied(name, scale):
    if "epsilon" in name:
        return
    for config in first_runs(name, scale).values():
        bounds = {member["epsilon"] for member in (config.attack, config.defense) if "epsilon" in member}
        assert bounds <= {2.0 if config.data.member["name"] == "cifar10" else 3.0}


@pytest.mark.parametrize("setting", [MNIST, MNIST_CNN, CIFAR10])
def test_the_paper_s_scale_has_its_recipe_and_its_network(setting):
    base = setting.base["paper"]
    shape, size = ((1, 28, 28), 92_330) if base["data"]["name"] == "mnist" else ((3, 32, 32), 875_402)
    fitted = network(build("model", MODELS, base["model"]), Facts(shape, 10, (0.5,) * shape[0], (0.2,) * shape[0]))
    assert fitted.size == size
    assert base["training"]["lr"] == 8e-4
    assert base["data"]["validation"] == 5000
    assert setting.momentum["paper"] == 0.95
    assert (base["data"]["train"] + 5000) % 10_000 == 0


def test_cut_mix_passes_over_the_validation_examples_once_in_each_epoch():
    assert [setting.passes("paper") for setting in (MNIST, CIFAR10)] == [45, 44]
    assert MNIST.passes("laptop") == 100
    mixed = first_runs("r2t2-table3", "laptop")["level 1 + CutMix on both", "level 1"].defense
    assert (mixed["name"], mixed["first"]["name"], mixed["second"]["validation"]) == ("chain", "level_k", 100)
    alone = first_runs("r2t2-table3", "laptop")["level 1 + CutMix", "level 4"]
    assert (alone.defense["second"]["validation"], alone.attack["level"]) == (0, 4)


def test_the_denoiser_of_the_paper_is_played_at_its_scale_alone():
    played = {scale: {defense.split(" ")[0] for defense, _ in first_runs("r2t2-table3", scale)} for scale in SCALES}
    assert {scale: {"CVAE", "DDPM"} & names for scale, names in played.items()} == {
        "smoke": {"CVAE"},
        "laptop": {"CVAE"},
        "paper": {"DDPM"},
    }
    assert any("takes the place of DDPM" in told for told in PRESETS["r2t2-table3"].differences["laptop"])


def test_an_attacker_may_know_less():
    blind = first_runs("r2t2-table2", "laptop")["level 0", "level 1 black box"]
    seeing = first_runs("r2t2-table2", "laptop")["level 0", "level 1"]
    assert (blind.threat.knowledge, seeing.threat.knowledge) == ("black_box", "white_box")
    assert blind.attack == seeing.attack
    uninformed = first_runs("r2t2-tablea7", "laptop")["level 1", "level 1 without validation set"]
    assert not uninformed.threat.validation
    assert uninformed.threat.knowledge == "white_box"


@pytest.mark.parametrize(("name", "goal"), [("r2t2-table4", "conversion"), ("r2t2-table5", "evasion")])
def test_a_level_0_attacker_with_the_same_target_shows_the_rate_without_an_attack(name, goal):
    runs = first_runs(name, "laptop")
    for target in (0, 3, 8):
        idle, active = (runs["level 0", attack, str(target)].attack for attack in ("none", "level 1"))
        assert (idle["level"], active["level"]) == (0, 1)
        assert (idle["goal"], idle["target"]) == (active["goal"], active["target"]) == (goal, target)
    assert PRESETS[name].metrics == (f"{goal}_rate", "accuracy")


def test_a_shorter_training_is_the_beginning_of_a_longer_one():
    runs = first_runs("r2t2-fig4", "laptop")
    short, long = (runs["level 0", "DC", epochs] for epochs in ("13", "80"))
    assert (short.training.epochs, long.training.epochs) == (13, 80)
    assert replace(short, training=long.training) == long


def test_both_players_have_the_validation_set_of_the_size_that_is_varied():
    runs = first_runs("r2t2-fig5-validation", "laptop")
    assert {(size, config.data.validation) for (_, _, size), config in runs.items()} == {
        ("50", 50),
        ("200", 200),
        ("1000", 1000),
    }


@pytest.mark.parametrize("name", TABLES)
def test_the_published_table_confirms_its_claims(name):
    """Each claim holds for the published means, as if three runs came to them."""
    preset = PRESETS[name]
    means = {(each.cell["attack"], each.cell["defense"]): each.value for each in preset.published("laptop")}
    runs = made_frame({place: [value] * 3 for place, value in means.items()})
    verdicts = {claim.words: judge_claim(claim, runs).verdict for claim in preset.claims("laptop")}
    assert set(verdicts.values()) == {"holds"}, verdicts


def test_published_percentages_are_printed_as_shares_with_their_deviation():
    numbers = {tuple(each.cell.values()): str(each) for each in PRESETS["r2t2-table2"].published("laptop")}
    assert numbers["level 0", "level 1"] == "0.095 ± 0.029"
    assert numbers["level 1", "none"] == "0.972 ± 0.008"
    assert len(numbers) == 16
