from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import LevelK
from sparring.attacks.minibatch.no_perturbation import NoPerturbation
from sparring.contracts import MinibatchRecipe, Purified
from sparring.data import Synthetic
from sparring.defenses import Unchanged
from sparring.errors import ConfigError, PluginError
from sparring.games.recursive import (
    CENTRAL_CODEC,
    BlackBoxAttack,
    CentralTraining,
    initial_central_state,
    play_minibatch,
    simulate_central,
)
from sparring.games.recursive.central import minibatch_rows
from sparring.models import Mlp, network
from sparring.training.gradients import summed_gradient

DATA = Synthetic(classes=3, features=6, examples=60).load()


def training(attack=None, defense=None, **changes):
    held = Batch(DATA.train.inputs[:12], DATA.train.labels[:12])
    train = Batch(DATA.train.inputs[12:], DATA.train.labels[12:])
    made = CentralTraining(
        network=network(Mlp(hidden=5), DATA),
        train=train,
        validation=held,
        test=DATA.test,
        recipe=MinibatchRecipe(epochs=2, batch=10, optimizer="adam", lr=0.01),
        attack=attack or NoPerturbation(),
        defense=defense or Unchanged(),
    )
    return replace(made, **changes)


def last(made):
    return list(simulate_central(made))[-1]


def equal(one, other):
    first, second = CENTRAL_CODEC.pack(one).tensors, CENTRAL_CODEC.pack(other).tensors
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_every_example_is_in_one_minibatch_of_an_epoch_and_epochs_differ():
    made = training()
    size = len(made.train.labels)
    minibatches = [minibatch_rows(made, round) for round in range(made.rounds)]
    epochs = [torch.cat(minibatches[: made.rounds_per_epoch]), torch.cat(minibatches[made.rounds_per_epoch :])]
    assert all(epoch.sort().values.tolist() == list(range(size)) for epoch in epochs)
    assert epochs[0].tolist() != epochs[1].tolist()
    assert made.rounds == 2 * made.rounds_per_epoch == 2 * -(-size // 10)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_without_players_the_learner_is_that_of_torch(optimizer):
    made = training(recipe=MinibatchRecipe(epochs=2, batch=10, optimizer=optimizer, lr=0.05))
    leaf = initial_central_state(made).parameters.clone().requires_grad_()
    theirs = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]([leaf], lr=0.05)
    for round in range(made.rounds):
        rows = minibatch_rows(made, round)
        theirs.zero_grad()
        outputs = made.network.forward(made.network.split(leaf), made.train.inputs[rows])
        torch.nn.functional.cross_entropy(outputs, made.train.labels[rows]).backward()
        theirs.step()
    assert torch.allclose(last(made)[0].parameters, leaf.detach(), atol=1e-5)


def test_a_state_in_between_goes_on_to_the_same_bytes():
    made = training(LevelK(epsilon=0.5))
    states = [state for state, _ in simulate_central(made)]
    for state in states[:-1:3]:
        restored = CENTRAL_CODEC.unpack(CENTRAL_CODEC.pack(state))
        *_, (end, _) = simulate_central(made, state=restored)
        assert equal(end, states[-1])


def test_metrics_are_measured_once_an_epoch_and_at_both_ends():
    records = [record for _, record in simulate_central(training())]
    evaluated = [record.round for record in records if record.accuracy is not None]
    assert evaluated == [0, training().rounds_per_epoch, training().rounds]


def test_a_targeted_attack_is_measured_by_its_rates():
    made = training(LevelK(epsilon=0.5, goal="conversion", target=1))
    state, record = last(made)
    predicted = made.network.forward(made.network.split(state.parameters), made.test.inputs).argmax(dim=1)
    others = made.test.labels != 1
    assert record.conversion_rate == pytest.approx((predicted[others] == 1).double().mean().item())
    assert record.evasion_rate == pytest.approx((predicted[~others] != 1).double().mean().item())
    assert last(training())[1].conversion_rate is None


@dataclass(frozen=True)
class Seeing:
    """Keeps what it sees."""

    views: ClassVar[list] = []

    def perturb(self, view, memory):
        self.views.append(view)
        return view.batch.inputs, memory

    def purify(self, view, memory):
        self.views.append(view)
        return Purified(view.batch), memory


def test_the_defender_recognizes_no_example_and_both_share_one_validation_gradient():
    Seeing.views.clear()
    made = training(Seeing(), Seeing())
    play_minibatch(made, initial_central_state(made))
    attackers, defenders = Seeing.views
    assert attackers.examples.tolist() == minibatch_rows(made, 0).tolist()
    assert defenders.examples is None
    assert attackers.validation_gradient() is defenders.validation_gradient()
    assert attackers.eta == pytest.approx(0.01 / 10)


def test_an_attacker_without_validation_examples_gets_its_own_minibatch_and_the_defender_keeps_them():
    Seeing.views.clear()
    made = training(Seeing(), Seeing(), attacker_validates=False)
    play_minibatch(made, initial_central_state(made))
    attackers, defenders = Seeing.views
    assert attackers.validation is attackers.batch
    assert len(defenders.validation.labels) == 12


def test_some_validation_examples_are_drawn_anew_in_each_round():
    Seeing.views.clear()
    list(simulate_central(training(Seeing(), validation_batch=4)))
    drawn = [view.validation.inputs for view in Seeing.views]
    assert all(len(each) == 4 for each in drawn)
    assert not torch.equal(drawn[0], drawn[1])


def test_a_black_box_attacker_replays_its_record_whatever_the_model_is():
    made = training(BlackBoxAttack(LevelK(epsilon=0.5, momentum=0.5)))
    state = initial_central_state(made)
    recorded = state.attack["recorded"]
    assert recorded.flatten(1).norm(dim=1).mean() > 0.1
    other = replace(state, parameters=torch.randn(state.parameters.shape, generator=torch.Generator().manual_seed(0)))
    Seeing.views.clear()
    for each in (state, other):
        play_minibatch(replace(made, defense=Seeing()), each)
    shown = [view.batch.inputs for view in Seeing.views]
    rows = minibatch_rows(made, 0)
    assert torch.equal(shown[0], shown[1])
    assert torch.allclose(shown[0], (made.train.inputs[rows] + recorded[rows]).clamp(0, 1), atol=1e-6)


def test_examples_without_a_record_are_perturbed_on_the_surrogate():
    made = training(BlackBoxAttack(LevelK(epsilon=0.5), unknown=0.5))
    state = initial_central_state(made)
    assert state.attack["known"].sum() == len(made.train.labels) // 2
    Seeing.views.clear()
    play_minibatch(replace(made, defense=Seeing()), state)
    rows = minibatch_rows(made, 0)
    moved = (Seeing.views[0].batch.inputs - made.train.inputs[rows]).flatten(1).norm(dim=1)
    unknown = ~state.attack["known"][rows]
    assert unknown.any()
    assert (moved[unknown] > 0.1).all()


@dataclass(frozen=True)
class Wrong:
    """Answers wrongly in one of several ways."""

    how: str

    def perturb(self, view, memory):
        inputs = view.batch.inputs
        if self.how == "edits":
            inputs.add_(1)
        answers = {
            "shape": (inputs[:1], memory),
            "alone": inputs,
            "nan": (inputs * float("nan"), memory),
            "memory": (inputs, [1]),
        }
        return answers.get(self.how, (inputs, memory))

    def purify(self, view, memory):
        return view.batch, memory


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("edits", "attack Wrong edited the minibatch in place"),
        ("shape", "attack Wrong returned inputs of shape"),
        ("alone", "attack Wrong returned shape"),
        ("nan", "attack Wrong returned inputs that are not finite"),
        ("memory", "attack Wrong returned a memory of list"),
    ],
)
def test_what_cannot_be_trained_on_is_attributed_to_the_attack(how, message):
    made = training(Wrong(how))
    with pytest.raises(PluginError, match=f"^{message}"):
        play_minibatch(made, initial_central_state(made))


def test_what_cannot_be_trained_on_is_attributed_to_the_defense():
    made = training(defense=Wrong(""))
    with pytest.raises(PluginError, match="^defense Wrong returned Batch; it must return Purified"):
        play_minibatch(made, initial_central_state(made))


def test_validation_examples_are_needed():
    nothing = Batch(DATA.train.inputs[:0], DATA.train.labels[:0])
    with pytest.raises(ConfigError, match=r"^validation: there are no validation examples; .* set data\.validation$"):
        training(validation=nothing)


def test_evaluations_sum_the_norms_of_the_examples_gradients_if_asked():
    asked = training(sums_gradients=True)
    state, record = last(asked)
    losses = [
        summed_gradient(
            asked.network,
            state.parameters,
            batch=Batch(asked.train.inputs[[row]], asked.train.labels[[row]]),
            objective=asked.objective,
        )
        for row in range(len(asked.train.labels))
    ]
    assert record.gradient_norm == pytest.approx(sum(each.norm().item() for each in losses), rel=1e-5)
    assert record.details["norms/gradient"] == record.gradient_norm
    _, other = last(training())
    assert other.gradient_norm is None
    assert other.accuracy == record.accuracy
