"""Modules as users bring them: frozen, pretrained, in other layouts and types, and those that are refused."""

import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from sparring.arrays import Batch
from sparring.defenses import Mean
from sparring.errors import ConfigError
from sparring.federation import Scenario, train
from sparring.models import LeNet, Logistic, network
from sparring.random import stream
from sparring.training import BACKENDS, evaluate, gradient
from tests.settings import Facts, small_federation
from tests.training.backends.modules import updates

VECTOR, IMAGE = Facts((4,), 3), Facts((2, 6, 6), 3, (0.1,) * 2, (0.3,) * 2)


def head_on_body() -> nn.Sequential:
    """Return a linear layer on a frozen one."""
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    module[0].requires_grad_(False)
    return module


def test_frozen_layers_are_no_part_of_the_vector():
    fitted = network(head_on_body(), VECTOR)
    assert fitted.layers == {"2": slice(0, 18)}
    assert fitted.names == ("2.weight", "2.bias")
    assert fitted.size == 18


def test_a_model_with_a_frozen_layer_gives_what_the_module_does():
    module, inputs = head_on_body(), torch.rand(6, 4)
    fitted = network(module, VECTOR)
    logits = fitted.forward(fitted.split(fitted.initial(stream(0, "model"))), inputs)
    torch.testing.assert_close(logits, module((inputs - 0.1) / 0.3))


def test_frozen_layers_stay_what_they_are_for_three_rounds_and_the_others_learn():
    module = head_on_body()
    before = copy.deepcopy(module[0].state_dict())

    class Given:
        initial = "pretrained"

        def module(self, shape, classes):
            return module

    for backend in BACKENDS.values():
        result = train(Scenario(small_federation(model=Given(), backend=backend()), Mean()), rounds=3)
        (_, *trained) = result.model.network.layers
        moved = result.model.parameters - result.model.network.initial(stream(0, "model"))
        assert not trained
        assert moved.abs().max() > 1e-3
        assert all(result.model.network.constants[f"0.{name}"].equal(each) for name, each in before.items())


def test_running_statistics_of_a_frozen_layer_are_kept():
    body = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4))
    body(torch.rand(9, 2, 6, 6))
    module = nn.Sequential(body.eval().requires_grad_(False), nn.Flatten(), nn.Linear(64, 3))
    fitted, image = network(module, IMAGE), torch.rand(1, 2, 6, 6)
    logits = fitted.forward(fitted.split(fitted.initial(stream(0, "model"))), image)
    torch.testing.assert_close(logits, module((image - 0.1) / 0.3))
    assert {name for name in fitted.constants if "running" in name} == {"0.1.running_mean", "0.1.running_var"}


@pytest.mark.parametrize("copied", [False, True])
def test_a_frozen_layer_may_be_there_twice(copied):
    layer = nn.Linear(4, 4).requires_grad_(False)
    module, inputs = nn.Sequential(layer, nn.Tanh(), layer, nn.Linear(4, 3)), torch.rand(5, 4)
    fitted = network(module, VECTOR)
    if copied:  # as when they are read from a file, or brought to a device
        fitted = replace(fitted, constants={name: each.clone() for name, each in fitted.constants.items()})
    logits = fitted.forward(fitted.split(fitted.initial(stream(0, "model"))), inputs)
    torch.testing.assert_close(logits, module((inputs - 0.1) / 0.3))


def test_a_module_of_which_nothing_is_trained_is_refused():
    message = "^model Linear has no parameters to train; use one with a layer that is not frozen$"
    with pytest.raises(ConfigError, match=message):
        network(nn.Linear(4, 3).requires_grad_(False), VECTOR)


def convolutional() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))


@pytest.mark.parametrize(
    "changed",
    [
        lambda module: module.to(memory_format=torch.channels_last),
        lambda module: module.double(),
        lambda module: module.bfloat16(),
        lambda module: transposed(module),
    ],
    ids=["channels last", "float64", "bfloat16", "transposed"],
)
def test_parameters_of_any_layout_and_type_are_taken(changed):
    module = changed(convolutional())
    fitted, inputs = network(module, IMAGE), torch.rand(3, 2, 6, 6)
    parameters = fitted.initial(stream(0, "model"))
    assert parameters.dtype == torch.float32
    logits = fitted.forward(fitted.split(parameters), inputs)
    torch.testing.assert_close(logits, copy.deepcopy(module).float()((inputs - 0.1) / 0.3))


def transposed(module: nn.Sequential) -> nn.Sequential:
    module[3].weight = nn.Parameter(module[3].weight.detach().t().contiguous().t())
    return module


@pytest.mark.parametrize(
    ("module", "layer"),
    [(nn.Sequential(nn.Flatten(), nn.LazyLinear(3)), "1"), (nn.LazyBatchNorm1d(), "")],
)
def test_lazy_layers_are_refused_in_one_line(module, layer):
    with pytest.raises(ConfigError) as refusal:
        network(module, VECTOR)
    name = type(module).__name__
    assert str(refusal.value) == f"model {name} has the lazy layer {layer!r}; call the model once on an example first"


class Squeezing(nn.Module):
    """A model that forgets that there may be a single example."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(4, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(inputs).squeeze()


def test_a_model_that_squeezes_a_single_example_away_is_refused():
    with pytest.raises(ConfigError) as refusal:
        network(Squeezing(), VECTOR)
    assert str(refusal.value) == (
        "model Squeezing gives for a single example outputs of shape [3]; "
        "it must give [1, 3], without squeezing that 1 away"
    )


def normalizing() -> nn.Module:
    return nn.Sequential(nn.BatchNorm1d(4, track_running_stats=False), nn.Linear(4, 3))


@pytest.mark.parametrize("examples", [2, 250, 251, 501, 753])
def test_a_model_that_normalizes_over_examples_is_evaluated_on_any_number_of_them(examples):
    fitted = network(normalizing(), VECTOR)
    on = Batch(torch.rand(examples, 4), torch.arange(examples) % 3)
    assert evaluate(fitted, fitted.initial(stream(0, "model")), on=on).loss > 0


def test_a_model_that_normalizes_over_examples_says_so_of_a_single_one():
    fitted = network(normalizing(), VECTOR)
    message = "^model Sequential is given a single example; it normalizes over examples, use at least 2 at once$"
    for backend in BACKENDS.values():
        with pytest.raises(ConfigError, match=message):
            updates(backend(), fitted, shape=(4,), examples=1)


def test_a_module_that_cannot_be_copied_is_refused_in_one_line():
    module = nn.Linear(4, 3)
    module.unlike = (value for value in range(3))
    with pytest.raises(ConfigError, match="^model Linear cannot be copied: cannot pickle 'generator' object$"):
        network(module, VECTOR)


def test_a_module_that_keeps_its_features_is_taken_after_it_was_called():
    class Keeping(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            self.last = super().forward(inputs)
            return self.last

    module = Keeping(4, 3)
    module(torch.rand(2, 4))
    fitted = network(module, VECTOR)
    gradient(fitted, fitted.initial(stream(0, "model")), batch=Batch(torch.rand(2, 4), torch.tensor([0, 1])))
    assert copy.deepcopy(fitted).size == 15


def test_a_parameter_without_dimensions_has_a_gradient():
    class Tempered(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.scale = nn.Linear(4, 3), nn.Parameter(torch.tensor(2.0))

        def forward(self, inputs: Tensor) -> Tensor:
            return self.scale * self.last(inputs)

    fitted = network(Tempered(), VECTOR)
    assert fitted.initial(stream(0, "model"))[fitted.layers[""]].tolist() == [2.0]
    for backend in BACKENDS.values():
        assert updates(backend(), fitted, shape=(4,))[:, fitted.layers[""]].all()


@dataclass(frozen=True)
class Pretrained:
    """An architecture whose modules come with weights."""

    def module(self, shape, classes):
        last = nn.Linear(*shape, classes)
        nn.init.eye_(last.weight)
        return nn.Sequential(last)


@dataclass(frozen=True)
class Choosing(Pretrained):
    initial: str = "pretrained"


WEIGHTS = torch.eye(3, 4).flatten()


def start(model: object, **chosen: str) -> Tensor:
    return network(model, VECTOR, **chosen).initial(stream(0, "model"))[:12]


def test_an_architecture_with_weights_must_say_whether_training_starts_from_them():
    message = "^model Pretrained comes with weights; set initial to 'pretrained' or 'random', in a field of its class$"
    with pytest.raises(ConfigError, match=message):
        network(Pretrained(), VECTOR)


def test_an_architecture_with_weights_is_not_taken_for_the_one_that_it_extends():
    class Loaded(Logistic):
        def module(self, shape, classes):
            module = super().module(shape, classes)
            nn.init.eye_(module[1].weight)
            return module

    class Chosen(Choosing):
        pass

    with pytest.raises(ConfigError, match="^model Loaded comes with weights; set initial to"):
        network(Loaded(), VECTOR)
    assert start(Chosen()).equal(WEIGHTS)


@pytest.mark.parametrize(
    ("model", "chosen"),
    [(Choosing(), {}), (Choosing("random"), {"initial": "pretrained"}), (Pretrained(), {"initial": "pretrained"})],
)
def test_training_starts_from_the_weights_that_are_to_be_kept(model, chosen):
    assert start(model, **chosen).equal(WEIGHTS)


@pytest.mark.parametrize(
    ("model", "chosen"),
    [(Choosing("random"), {}), (Choosing(), {"initial": "random"}), (Pretrained(), {"initial": "random"})],
)
def test_weights_that_are_to_be_drawn_are_those_of_any_other_model(model, chosen):
    drawn = network(nn.Linear(4, 3), VECTOR, initial="random").initial(stream(0, "model"))[:12]
    assert start(model, **chosen).equal(drawn)


def test_a_module_of_yours_starts_from_its_own_parameters_unless_others_are_asked_for():
    module = nn.Linear(4, 3)
    own = module.weight.detach().flatten()
    assert start(module).equal(own)
    assert start(module, initial="pretrained").equal(own)
    assert not start(module, initial="random").equal(own)


def test_an_architecture_without_weights_cannot_start_from_them():
    message = "^model LeNet has initial='pretrained', but comes with no weights to train; use 'random'$"
    with pytest.raises(ConfigError, match=message):
        network(LeNet(), Facts(), initial="pretrained")


@pytest.mark.parametrize("fit", [partial(network, nn.Linear(4, 3), initial="old"), partial(network, Choosing("old"))])
def test_another_word_is_refused(fit):
    with pytest.raises(ConfigError, match="has initial='old'; use 'pretrained' or 'random'$"):
        fit(VECTOR)


def test_fitting_an_architecture_draws_nothing_from_the_global_generator():
    before = torch.get_rng_state()
    network(LeNet(), Facts())
    assert torch.get_rng_state().equal(before)


def test_weights_that_nobody_has_written_count_as_drawn():
    class Unwritten:
        def module(self, shape, classes):
            last = nn.Linear(*shape, classes)
            last.weight = nn.Parameter(torch.empty(classes, *shape))
            return last

    for _ in range(3):
        network(Unwritten(), VECTOR)
    assert torch.get_deterministic_debug_mode() == 0


def test_the_only_module_of_an_architecture_is_left_as_it_is():
    class Only:
        only: ClassVar[nn.Module] = nn.Linear(4, 3)
        initial = "pretrained"

        def module(self, shape, classes):
            return self.only

    network(Only(), VECTOR)
    network(Only(), VECTOR)
    assert Only.only.weight.device.type == "cpu"
    assert Only.only.weight.requires_grad


def test_what_an_architecture_freezes_is_the_same_each_time():
    class Features:
        def module(self, shape, classes):
            return nn.Sequential(nn.Linear(*shape, 8).requires_grad_(False), nn.Tanh(), nn.Linear(8, classes))

    one, other = (network(Features(), VECTOR).constants["0.weight"] for _ in range(2))
    assert one.equal(other)


def test_an_architecture_that_builds_no_module_is_refused():
    class Idle:
        def module(self, shape, classes):
            return None

    with pytest.raises(ConfigError, match="^model Idle builds a NoneType; it must build a torch.nn.Module$"):
        network(Idle(), VECTOR)


def test_a_layer_called_initial_is_no_choice():
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.initial = nn.Linear(4, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.initial(inputs)

    assert network(Named(), VECTOR).size == 15


def test_a_module_that_takes_examples_for_channels_is_refused():
    module = nn.Sequential(nn.Conv2d(2, 2, (4, 2)), nn.Flatten())
    with pytest.raises(ConfigError, match=r"^model Sequential does not take inputs of shape \[4, 4\]: "):
        network(module, Facts((4, 4), 3))
