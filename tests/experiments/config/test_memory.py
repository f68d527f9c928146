import numpy as np
import pytest
import torch
from torch import nn

from sparring.errors import ConfigError, RunError
from sparring.experiments.config.build import build_scenario, load_dataset, validate
from sparring.experiments.config.memory import count_parameters, round_memory, translate_exhaustion
from sparring.experiments.config.schema import FederationSettings
from tests.experiments.small import small

REMEDY = "use a smaller model, fewer sampled clients or smaller batches"


def test_a_round_holds_updates_minibatches_and_momenta():
    settings = FederationSettings(clients=100, sampled=10, local_steps=2, batch=5)
    assert round_memory(1000, (3, 4), settings=settings) == 4 * 10 * (1000 + 2 * 5 * 12)
    with_momentum = FederationSettings(clients=100, sampled=10, local_steps=2, batch=5, momentum=0.5)
    assert round_memory(1000, (3, 4), settings=with_momentum) == 4 * 10 * (1000 + 2 * 5 * 12) + 4 * 100 * 1000


def test_a_batch_larger_than_the_machine_is_refused_before_any_data_is_read():
    with pytest.raises(ConfigError, match=f"federation: a round needs .* GiB of memory, and .*; {REMEDY}"):
        validate(small("federation.batch=1000000000", "federation.local_steps=1000000000"))


@pytest.mark.parametrize("hidden", [10**13, 9 * 10**18])
def test_a_model_larger_than_the_machine_is_refused_before_it_is_made(hidden):
    config = small("model.name=mlp", f"model.hidden={hidden}")
    with pytest.raises(ConfigError, match="GiB of memory|model Mlp cannot be built: "):
        build_scenario(config, load_dataset(config))


@pytest.mark.parametrize("exhaust", [lambda: torch.empty(1 << 60), lambda: np.empty(1 << 55)], ids=["torch", "numpy"])
def test_running_out_of_memory_says_what_would_do(exhaust):
    with pytest.raises(RunError, match=f"out of memory; {REMEDY}"), translate_exhaustion():
        exhaust()


def test_running_out_of_a_device_s_memory_says_what_would_do():
    with pytest.raises(RunError, match=f"out of memory; {REMEDY}"), translate_exhaustion():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def test_a_device_that_is_not_there_is_refused_before_any_data_is_read(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="execution.device is 'cuda'; torch sees no such device here, use 'cpu' or"):
        validate(small("execution.device=cuda"))


def test_other_failures_are_left_as_they_are():
    with pytest.raises(RuntimeError, match="another reason"), translate_exhaustion():
        raise RuntimeError("another reason")


@pytest.mark.parametrize("lost", ["numpy", "load_state_dict"])
def test_weights_that_are_loaded_are_no_obstacle_to_counting_them(lost):
    class Loading:
        def module(self, shape, classes):
            last = nn.Linear(*shape, classes)
            if lost == "numpy":
                last.weight.detach().numpy()[:] = 1
            last.load_state_dict({"weight": torch.ones(classes, *shape, device="cpu"), "bias": torch.zeros(classes)})
            return last

    dataset = load_dataset(small())
    assert count_parameters(Loading(), dataset) == (0 if lost == "numpy" else 28)


def test_only_what_is_trained_is_counted():
    class Headed:
        def module(self, shape, classes):
            return nn.Sequential(nn.Linear(*shape, 9).requires_grad_(False), nn.LazyLinear(7), nn.Linear(7, classes))

    assert count_parameters(Headed(), load_dataset(small())) == 32
