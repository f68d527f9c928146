import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import ATTACKS, LearnedAttack, LocalSearch, LocalSearchActions, RawUpdateActions
from sparring.conformance import failures
from sparring.conformance.adversary import attacker_view
from sparring.conformance.attacks import ATTACK_CHECKS
from sparring.conformance.check import format_check_name
from sparring.errors import ConfigError
from sparring.experiments import parse_config
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.policies import Features, save_policy
from sparring.policies.saved_policy import pack_policy
from sparring.registry import build
from sparring.training import gradient
from tests.attacks.learned.policies import trained
from tests.attacks.views import LOGISTIC

INPUTS = LOGISTIC.size + 1


@pytest.fixture
def file(tmp_path):
    """Return a writer of attackers."""

    def write(attacker):
        save_policy(tmp_path / "policy.safetensors", attacker)
        return str(tmp_path / "policy.safetensors")

    return write


@pytest.mark.parametrize("check", ATTACK_CHECKS, ids=format_check_name)
def test_a_learned_attack_conforms(check, file):
    assert failures(check, LearnedAttack(file(trained(0.0, 0.0, inputs=INPUTS)))) == ()


@pytest.mark.parametrize("check", ATTACK_CHECKS, ids=format_check_name)
def test_one_that_observes_features_conforms(check, file):
    attack = LearnedAttack(file(trained(0.0, 0.0, inputs=INPUTS + 3, features=Features(9))))
    assert failures(check, attack) == ()


def test_it_searches_by_the_numbers_that_its_policy_answers(file):
    ranges = LocalSearchActions(scale=(0, 10), steps=(1, 21), numbers=3, variant="ascent")
    attack = LearnedAttack(file(trained(1.0, -1.0, 0.0, inputs=INPUTS, acting=ranges)))
    assert torch.equal(
        attack.craft(attacker_view()),
        LocalSearch(scale=10, steps=1, stealth=0.5, variant="ascent").craft(attacker_view()),
    )


def test_it_sends_what_its_policy_answers_where_that_is_the_update(file):
    numbers = [0.1 * place for place in range(LOGISTIC.size)]
    attack = LearnedAttack(file(trained(*numbers, inputs=INPUTS, acting=RawUpdateActions(3.0), layers=None)))
    torch.testing.assert_close(attack.craft(attacker_view())[0], 3 * torch.tensor(numbers).clamp(max=1))


def test_it_draws_from_the_examples_that_it_learned(file):
    examples = Batch(torch.zeros(4, 3), torch.tensor([1, 1, 1, 1]))
    numbers = {"inputs": INPUTS, "acting": LocalSearchActions(scale=(1, 1), steps=(1, 1), numbers=1)}
    rows = LearnedAttack(file(trained(0.0, examples=examples, **numbers))).craft(attacker_view())
    # The only change that raises the loss of blank examples is one of the biases.
    assert rows[0, :-3].abs().max() == 0
    assert rows[0, -3:].abs().min() > 0


def test_it_may_take_all_of_its_examples_in_each_step(file):
    pixels = torch.arange(15).reshape(5, 3) / 255  # a file keeps them as bytes
    examples = Batch(pixels, torch.tensor([0, 1, 2, 1, 0]))
    numbers = {"inputs": INPUTS, "acting": LocalSearchActions(scale=(2, 2), steps=(1, 1), numbers=1, batch=5)}
    rows = LearnedAttack(file(trained(0.0, examples=examples, **numbers))).craft(attacker_view())
    expected = -2 * 0.1 * gradient(LOGISTIC, attacker_view().parameters, batch=examples)
    torch.testing.assert_close(rows, expected.expand(3, -1))


def test_the_file_names_the_minibatch_only_where_there_is_one():
    for batch, keys in ((None, set()), (5, {"batch"})):
        described = pack_policy(trained(0.0, inputs=INPUTS, acting=LocalSearchActions(numbers=1, batch=batch))).numbers
        assert described["acting"].keys() & {"batch"} == keys


def test_it_is_named_with_its_file(file):
    path = file(trained(0.0, inputs=INPUTS))
    assert build("attack", ATTACKS, {"name": "learned", "policy": path}) == LearnedAttack(path)


def test_without_a_file_it_is_refused():
    with pytest.raises(ConfigError, match=r"^attack 'learned' lacks 'policy'; set attack\.policy$"):
        build("attack", ATTACKS, {"name": "learned"})


def test_a_file_that_is_not_there_is_refused_before_anything_is_played(tmp_path):
    attacker = {"name": "learned", "policy": str(tmp_path / "nowhere"), "malicious": 2}
    config = parse_config({"data": {"name": "synthetic"}, "model": {"name": "logistic"}, "attack": attacker})
    with pytest.raises(ConfigError, match="there is no such file"):
        build_scenario(config, load_dataset(config))


def test_a_policy_for_a_model_of_another_size_is_refused(file):
    attack = LearnedAttack(file(trained(0.0, inputs=99)))
    with pytest.raises(ConfigError, match=r"it sees 99 numbers, this model shows 13$"):
        attack.craft(attacker_view())
