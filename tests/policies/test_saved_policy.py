from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import LearnedAttack, LocalSearchActions, RawUpdateActions, attack_policy
from sparring.errors import ConfigError
from sparring.models.tensor_file import write_tensors
from sparring.policies.encoder import CountEncoder, FeatureEncoder
from sparring.policies.network import PolicyNetwork
from sparring.policies.observation import Features
from sparring.policies.saved_policy import (
    SHIPPED,
    PolicyVersion,
    SavedPolicy,
    load_policy,
    pack_policy,
    resolve_policy_path,
    save_policy,
)
from sparring.random import stream
from tests.attacks.learned.policies import constant, trained
from tests.attacks.views import LOGISTIC


def random_policy():
    rng = stream(0, "policy")
    sizes = [(5, 4), (2, 5)]
    layers = tuple((torch.from_numpy(rng.normal(size=size)).float(), torch.ones(size[0])) for size in sizes)
    return PolicyNetwork(layers, hidden="tanh", squash="clip")


def test_what_was_saved_is_loaded_again(tmp_path):
    acting = LocalSearchActions(scale=(1, 2), steps=(3, 4), numbers=2, variant="reversed_descent", lr=0.5)
    save_policy(tmp_path / "policy", attack_policy([PolicyVersion(7, random_policy())], acting, layers=2))
    loaded = load_policy(tmp_path / "policy", "attack")
    assert (
        LearnedAttack(str(tmp_path / "policy")).acting,
        loaded.layers,
        loaded.examples,
        loaded.versions[0].since,
    ) == (acting, 2, None, 7)
    seen = stream(1).normal(size=4).astype(np.float32)
    np.testing.assert_array_equal(loaded.versions[0].policy.act(seen), random_policy().act(seen))


@pytest.mark.parametrize(
    "encoder", [CountEncoder((1, 3), 10), CountEncoder((1, 3), 10, torch.arange(2.0), torch.ones(2))]
)
def test_what_a_policy_makes_of_an_observation_is_kept(tmp_path, encoder):
    layers = ((torch.ones(2, encoder.size(3)), torch.zeros(2)),)
    policy = PolicyNetwork(layers, squash="clip", encoder=encoder)
    save_policy(tmp_path / "policy", attack_policy([PolicyVersion(0, policy)], LocalSearchActions()))
    loaded = load_policy(tmp_path / "policy", "attack").versions[0].policy
    seen = np.array([0.25, -0.5, 0.3], dtype=np.float32)
    np.testing.assert_array_equal(loaded.act(seen), policy.act(seen))
    assert loaded.fits(3)
    assert not loaded.fits(1) or encoder.mean is None


def test_other_meanings_of_actions_are_kept_too(tmp_path):
    save_policy(tmp_path / "policy", trained(0.5, inputs=3, acting=RawUpdateActions(0.25), layers=None))
    loaded = load_policy(tmp_path / "policy", "attack")
    assert (LearnedAttack(str(tmp_path / "policy")).acting, loaded.layers) == (RawUpdateActions(0.25), None)


def test_examples_are_kept_as_bytes(tmp_path):
    inputs, labels = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([2, 0, 1])
    save_policy(tmp_path / "policy", trained(0.0, inputs=3, examples=Batch(inputs, labels)))
    loaded = load_policy(tmp_path / "policy", "attack").examples
    assert loaded.inputs.dtype == torch.uint8
    torch.testing.assert_close(loaded.inputs / 255, inputs, atol=0.51 / 255, rtol=0)
    assert torch.equal(loaded.labels, labels)


def test_examples_that_are_no_pixels_are_kept_as_they_are(tmp_path):
    inputs = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    save_policy(tmp_path / "policy", trained(0.0, inputs=3, examples=Batch(inputs, torch.tensor([2, 0, 1]))))
    assert torch.equal(load_policy(tmp_path / "policy", "attack").examples.inputs, inputs)


@pytest.mark.parametrize("name", ["@audits/median", "@audits/median.safetensors"])
def test_a_policy_that_comes_with_sparring_is_named_with_or_without_its_suffix(name):
    assert resolve_policy_path(name) == SHIPPED / "audits" / "median.safetensors"


@pytest.mark.parametrize("name", ["@krum-q-0.5", "@krum-q-0.5.safetensors"])
def test_a_name_may_have_a_point(name):
    assert resolve_policy_path(name) == SHIPPED / "krum-q-0.5.safetensors"


@pytest.mark.parametrize("name", ["policy", "here/policy.safetensors"])
def test_another_file_is_where_it_is_said_to_be(name):
    assert str(resolve_policy_path(name)) == name


def test_equal_attackers_make_equal_files(tmp_path):
    for name in ("one", "other"):
        save_policy(tmp_path / name, trained(0.5, -0.5, inputs=3))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_the_newest_policy_plays():
    early, late = (constant(number, inputs=3) for number in (0.1, 0.2))
    attacker = attack_policy([PolicyVersion(100, early), PolicyVersion(200, late)], LocalSearchActions(numbers=1))
    assert [attacker.newest(round) for round in (0, 100, 199, 200)] == [early, early, early, late]


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"^attack\.policy is '.*'; there is no such file, train one with audit$"):
        load_policy(tmp_path / "nowhere", "attack")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a pickle", b"\x80\x04."])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "policy").write_bytes(content)
    with pytest.raises(ConfigError, match=r"it holds no learned attack, train one with audit$"):
        load_policy(tmp_path / "policy", "attack")


def test_settings_in_a_file_that_no_attack_can_have_are_named(tmp_path):
    tensors, described = pack_policy(trained(0.5, inputs=LOGISTIC.size + 1, acting=LocalSearchActions()))
    wrong = {**described, "layers": None, "acting": {**described["acting"], "numbers": 3}}
    write_tensors(tmp_path / "policy", "attack", described=wrong, tensors=tensors)
    with pytest.raises(
        ConfigError, match=r"policy': acting\.numbers is 3; reversed_descent has no stealth, use 2 or 1$"
    ):
        LearnedAttack(str(tmp_path / "policy")).check(LOGISTIC)


def test_a_card_is_kept_and_another_file_has_none(tmp_path):
    card = {"game": "attack_game", "rounds": [40, 60], "note": None}
    plain = trained(0.5, inputs=3)
    save_policy(tmp_path / "carded", replace(plain, card=card))
    save_policy(tmp_path / "plain", plain)
    assert load_policy(tmp_path / "carded", "attack").card == card
    assert load_policy(tmp_path / "plain", "attack").card is None


def test_the_policy_of_the_other_side_is_refused_by_name(tmp_path):
    save_policy(tmp_path / "policy", trained(0.5, inputs=3))
    with pytest.raises(
        ConfigError, match=r"^defense\.policy is '.*policy': it holds the policy for attack\.name=learned"
    ):
        load_policy(tmp_path / "policy", "defense")


def test_a_truncated_file_is_refused(tmp_path):
    save_policy(tmp_path / "policy", trained(0.5, inputs=3))
    (tmp_path / "policy").write_bytes((tmp_path / "policy").read_bytes()[:-4])
    with pytest.raises(ConfigError, match=r"it holds no learned attack, train one with audit$"):
        load_policy(tmp_path / "policy", "attack")


def test_a_player_without_policies_cannot_play(tmp_path):
    save_policy(tmp_path / "policy", attack_policy([], LocalSearchActions()))
    with pytest.raises(ConfigError, match=r"it holds no policy yet, train one with audit$"):
        load_policy(tmp_path / "policy", "attack").check(3, path="policy")


def test_a_side_is_one_of_two():
    with pytest.raises(ConfigError, match=r"^policy\.side is 'server'; it must be one of: attack, defense$"):
        SavedPolicy("server", (), {})


@pytest.mark.parametrize(
    "path", sorted(SHIPPED.rglob("*.safetensors")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_a_shipped_policy_loads_and_is_written_again_to_the_byte(path, tmp_path):
    save_policy(tmp_path / "again", load_policy(path, "attack"))
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def feature_policy():
    encoder = FeatureEncoder(3, CountEncoder((1, 3), 10))
    return PolicyVersion(0, PolicyNetwork(((torch.ones(2, encoder.size(9)), torch.zeros(2)),), encoder=encoder))


def test_the_features_that_a_policy_observes_are_kept(tmp_path):
    features = Features(horizon=40, examples=7)
    save_policy(tmp_path / "policy", attack_policy([feature_policy()], LocalSearchActions(), features=features))
    loaded = load_policy(tmp_path / "policy", "attack")
    assert loaded.features == features
    assert loaded.versions[0].policy.encoder.pack() == feature_policy().policy.encoder.pack()


def test_a_policy_that_observes_none_has_no_word_of_features_in_its_file():
    assert "features" not in pack_policy(trained(0.0, inputs=13)).numbers
    assert all(load_policy(path, "attack").features is None for path in SHIPPED.glob("*.safetensors"))


def test_a_policy_of_features_that_are_not_declared_is_refused():
    with pytest.raises(ConfigError, match=r"^policy\.features has 0 numbers; the policy observes 3, give Features$"):
        attack_policy([feature_policy()], LocalSearchActions())
