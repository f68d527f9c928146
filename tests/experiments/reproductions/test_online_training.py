from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.arrays import pixels
from sparring.errors import ConfigError, Interrupted, RunError
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.jobs.job import Failed, Stopped
from sparring.experiments.jobs.save_pace import CheckpointInterval, SavePace
from sparring.experiments.jobs.snapshots import latest_progress
from sparring.experiments.reproductions.online_training import (
    count_steps,
    learn_attack,
    steps_made,
    train_part,
    training_parts,
)
from sparring.experiments.reproductions.policy_trials import trials_of
from sparring.experiments.runs.run import run
from sparring.experiments.sweeps import plan_sweep
from sparring.learning.distribution.observed_training import observe_training, shared_examples
from sparring.policies import load_policy, save_policy
from tests.experiments.small import lasting
from tests.experiments.small_training import INVERTING, QUICK, RULES, STEPS, document, due
from tests.experiments.sweeps.test_task import exists_after

PLACES = 6
"""Where learning can be stopped: after each of two reconstructed batches, and after each of four policies."""


def part(folder, training=QUICK):
    return due(folder, training)["median-0"]


def scenario(folder):
    config = part(folder).config
    return build_scenario(config, load_dataset(config))


def learned(folder, training=INVERTING, **options):
    return learn_attack(scenario(folder), training, folder=folder / "workshop", **options)


def always_renewed(**settings):
    """Return how an attack is learned whose policies are all kept."""
    return replace(QUICK, schedule=replace(QUICK.schedule, trials=0, **settings))


def since(attack):
    return [since for since, _ in attack.versions]


def written(attack, folder):
    save_policy(folder / "policy", attack)
    return (folder / "policy").read_bytes()


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The attack that is learned without a break, and what its policies were worth."""
    return learned(tmp_path_factory.mktemp("straight"))


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """A part that was taken to its end."""
    done = part(tmp_path_factory.mktemp("policies"))
    assert train_part(done) == done.policy
    return done


def test_each_policy_that_cells_play_is_a_part_of_its_own(tmp_path):
    cells = plan_sweep(document(tmp_path)).cells
    found = training_parts(cells, lambda labels: replace(QUICK, own=len(labels["defense"])))
    assert list(found) == ["mean-0", "median-0"]
    for rule, each in zip(RULES, found.values(), strict=True):
        assert each.policy == tmp_path / f"{rule}-0.safetensors"
        assert each.config.defense == {"name": rule}
        assert each.training.own == len(rule)


def test_policies_of_one_name_in_two_folders_are_two_parts(tmp_path):
    cells = [cell for folder in ("one", "other") for cell in plan_sweep(document(tmp_path / folder)).cells]
    found = training_parts(cells, lambda labels: QUICK)
    wanted = [tmp_path / folder / f"{rule}-0.safetensors" for folder in ("one", "other") for rule in RULES]
    assert [each.policy for each in found.values()] == wanted
    assert list(found) == list(map(str, wanted))


def test_whoever_learns_behaves_meanwhile(tmp_path):
    (attacker,) = part(tmp_path).config.attacks
    assert (attacker.member, attacker.malicious) == ({"name": "none"}, 4)


def test_an_attack_that_is_learned_is_no_part_any_more(taken):
    assert list(due(taken.policy.parent)) == ["mean-0"]


@pytest.mark.parametrize("rounds", [3, 4])
def test_what_is_learned_is_played_from_the_round_in_which_the_attack_begins(taken, tmp_path, rounds):
    models = []
    for name, config in {"behaving": taken.config, "attacked": attacked(taken).config}.items():
        run(replace(config, federation=replace(config.federation, rounds=rounds)), tmp_path / name)
        models.append(lasting(tmp_path / name)["model.safetensors"])
    assert (models[0] == models[1]) is (rounds == 3)


def attacked(done):
    """Return the run in which a part's attack is played."""
    return plan_sweep(document(done.policy.parent)).cells[-1]


def test_of_a_run_whose_attacks_have_no_trials_nothing_is_told(taken, tmp_path):
    assert list(trials_of(taken.config)) == []
    assert list(trials_of(attacked(part(tmp_path)).config)) == []


def test_of_what_is_learned_a_policy_and_its_trials_are_left(taken):
    assert {path.name for path in taken.policy.parent.iterdir()} == {"median-0.safetensors", "median-0.json"}
    (trials,) = trials_of(attacked(taken).config)
    assert [trial.steps for trial in trials] == STEPS
    assert steps_made(taken) == count_steps(QUICK) == STEPS[-1]


def test_a_learning_that_is_stopped_wherever_it_can_be_comes_to_the_same_bytes(straight, tmp_path):
    for _ in range(PLACES):
        with pytest.raises(Interrupted):
            learned(tmp_path, wants_stop=lambda: True)
    attack, trials = learned(tmp_path, wants_stop=lambda: True)
    assert written(attack, tmp_path) == written(straight[0], tmp_path)
    assert trials == straight[1]


def test_where_a_learning_stands_is_saved_by_time_and_not_by_policies(tmp_path):
    learned(tmp_path, QUICK, pace=SavePace(clock=lambda: 0.0))
    assert latest_progress(tmp_path / "workshop") == 0
    learned(tmp_path, QUICK, pace=SavePace(CheckpointInterval(0, 1), clock=lambda: 0.0))
    assert latest_progress(tmp_path / "workshop") == STEPS[-1]


@pytest.mark.parametrize("place", range(1, PLACES + 1))
def test_who_is_stopped_says_how_far_it_is(tmp_path, place):
    asked = iter([False] * (place - 1) + [True])
    told = [
        *(f"{batches} of 2 reconstructed batches" for batches in (1, 2)),
        *(f"{steps} of 20 steps" for steps in STEPS),
    ]
    with pytest.raises(Interrupted, match=f"^stopped after {told[place - 1]}$"):
        learned(tmp_path, wants_stop=lambda: next(asked))


def test_snapshots_that_are_damaged_are_gone_without(straight, tmp_path):
    asked = iter([False, False, True])
    with pytest.raises(Interrupted):
        learned(tmp_path, wants_stop=lambda: next(asked))
    for folder in (tmp_path / "workshop", tmp_path / "workshop" / "images"):
        newest = max(folder.glob("*.safetensors"))
        newest.write_bytes(newest.read_bytes()[:-1])
    assert written(learned(tmp_path)[0], tmp_path) == written(straight[0], tmp_path)


def test_a_part_that_is_to_stop_is_gone_on_with(taken, tmp_path):
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        stop_later = lambda: asked.append(1) or len(asked) > 2  # noqa: E731
        patch.setattr("pathlib.Path.exists", exists_after(tmp_path / ".stop", stop_later))
        assert train_part(part(tmp_path)) == Stopped()
    again = part(tmp_path)
    assert steps_made(again) == STEPS[1]
    assert not again.policy.exists()
    assert train_part(again) == again.policy
    for suffix in (".safetensors", ".json"):
        left, wanted = (each.policy.with_suffix(suffix).read_bytes() for each in (again, taken))
        assert left == wanted


def test_no_part_begins_when_a_stop_is_asked_for(tmp_path):
    (tmp_path / ".stop").touch()
    assert train_part(part(tmp_path)) == Stopped()
    assert [path.name for path in tmp_path.iterdir()] == [".stop"]


def test_what_goes_wrong_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.defenses.Median.aggregate", lambda self, view, memory: 1 // 0)
    answer = train_part(part(tmp_path))
    assert isinstance(answer, Failed)
    assert answer.error.startswith("defense Median raised ZeroDivisionError")


def test_policies_are_left_that_are_in_use_once_the_attack_has_begun(tmp_path):
    attack, _ = learned(tmp_path, always_renewed())
    assert since(attack) == [3, 4, 5]


def test_where_learning_begins_with_the_attack_the_middle_is_played_until_something_is_learned(tmp_path):
    attack, _ = learned(tmp_path, always_renewed(learns_from=3))
    assert since(attack) == [0, 4, 5]
    assert attack.newest(3).act(np.ones(attack.newest(3).layers[0][0].shape[1])).tolist() == [0, 0]


def test_trials_tell_of_every_policy_whether_or_not_it_is_played(straight):
    attack, trials = straight
    assert [trial.steps for trial in trials] == STEPS
    assert all(trial.best >= trial.gained for trial in trials)
    played = [1 + place for place, trial in enumerate(trials, start=1) if trial.best == trial.gained]
    assert set(since(attack)) - {0} <= set(played)


def test_attackers_who_invert_nothing_have_their_own_examples(taken, tmp_path):
    examples, own = load_policy(taken.policy, "attack").examples, shared_examples(scenario(tmp_path), 20)
    assert torch.equal(pixels(examples.inputs), pixels(own.inputs))
    assert torch.equal(examples.labels, own.labels)


def worlds(folder, monkeypatch, training):
    """Return the worlds that an attack is learned in, and what it draws from."""
    seen = []

    def stopped(learner, worlds, attack, *, start):
        seen.extend([worlds, attack.examples])
        raise Interrupted

    monkeypatch.setattr("sparring.learning.online.training.OnlineLearner.train", stopped)
    with pytest.raises(Interrupted):
        learned(folder, training)
    return seen


def drawn_from(arena):
    return arena.game.scenario.federation.shards.examples


def test_own_examples_with_labels_are_rehearsed_on_before_the_attack_and_a_part_of_the_mixture(tmp_path, monkeypatch):
    both, mixture = worlds(tmp_path, monkeypatch, replace(INVERTING, is_labeled=True))
    own = shared_examples(scenario(tmp_path), 20)
    assert torch.equal(drawn_from(both.own).inputs, own.inputs)
    assert drawn_from(both.learned).inputs is mixture.inputs
    assert len(mixture.labels) == 2 * 4 + 20
    assert torch.equal(mixture.inputs[8:], pixels(own.inputs))
    assert torch.equal(mixture.labels[8:], own.labels)


def test_a_search_on_own_examples_leaves_the_mixture_to_the_rehearsal(tmp_path, monkeypatch):
    both, searched = worlds(tmp_path, monkeypatch, replace(INVERTING, is_labeled=True, searches_on="own"))
    own = shared_examples(scenario(tmp_path), 20)
    assert torch.equal(pixels(searched.inputs), pixels(own.inputs))
    assert torch.equal(searched.labels, own.labels)
    assert len(drawn_from(both.learned).labels) == 2 * 4 + 20


def test_without_labels_nothing_is_searched_on_but_the_mixture():
    with pytest.raises(ConfigError, match="training.searches_on is 'own'; a search needs labels"):
        replace(INVERTING, searches_on="own")


def test_own_examples_without_labels_are_never_rehearsed_on(tmp_path, monkeypatch):
    both, mixture = worlds(tmp_path, monkeypatch, INVERTING)
    assert drawn_from(both.own).inputs is drawn_from(both.learned).inputs is mixture.inputs
    assert len(mixture.labels) == 2 * 4


def test_episodes_start_from_the_global_model_when_learning_in_their_world_begins(tmp_path, monkeypatch):
    both, _ = worlds(tmp_path, monkeypatch, QUICK)
    states = observe_training(scenario(tmp_path), 3, own=20).states
    for arena, round in ((both.own, 1), (both.learned, 3)):
        assert arena.game.starts[0].round == round
        assert torch.equal(arena.game.starts[0].parameters, states[round].parameters)
        assert arena.game.rounds == round + QUICK.rounds


def test_where_nothing_is_given_away_there_is_no_mixture(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.learning.distribution.observed_training.estimated_gradients", lambda seen, lr: [])
    with pytest.raises(
        RunError, match="^the attackers observe no gradient before the attack begins; use a later start$"
    ):
        learned(tmp_path)


def test_without_labels_and_without_inversion_there_is_nothing_to_learn_from():
    with pytest.raises(ConfigError, match=r"^training.is_labeled is False; .*, set inverting$"):
        replace(INVERTING, inverting=None)
