from math import inf, nan

import pytest
import torch
from torch import nn

from sparring.contracts import Model
from sparring.defenses import CLP
from sparring.defenses.post_training.clp import lipschitz_bounds, outliers
from sparring.errors import ConfigError
from sparring.models import Cnn, ResNet18
from sparring.random import stream
from tests.defenses.post_training.models import started, units, written
from tests.settings import Facts


def pruned(model, u=3.0):
    return CLP(u).repair(model, root=None, rng=stream(0))


def test_a_bound_is_the_largest_singular_value_of_a_kernel():
    # The second kernel is diag(3, 4) for two input channels and two places, the third has rank one.
    weight = torch.tensor([[[[0.0, 0.0]], [[0.0, 0.0]]], [[[3.0, 0.0]], [[0.0, 4.0]]], [[[1.0, 1.0]], [[1.0, 1.0]]]])
    assert lipschitz_bounds(weight).tolist() == pytest.approx([0.0, 4.0, 2.0])


def test_a_hidden_unit_is_bounded_by_the_norm_of_its_weights():
    assert lipschitz_bounds(torch.tensor([[3.0, 4.0], [0.0, 1.0]])).tolist() == pytest.approx([5.0, 1.0])


def test_a_kernel_that_is_not_finite_has_an_infinite_bound():
    weight = torch.tensor([[nan, 0.0], [inf, 1.0], [1e38, 0.0]])
    assert lipschitz_bounds(weight).tolist() == pytest.approx([inf, inf, 1e38])


def test_outliers_lie_more_than_u_deviations_above_the_mean():
    # The mean is 2 and the standard deviation √5, so that 6 lies 4 / √5 = 1.789 of them above.
    bounds = torch.tensor([1.0, 1.0, 1.0, 1.0, 6.0])
    assert bounds.std().item() == pytest.approx(5**0.5)
    assert outliers(bounds, 1.78).tolist() == [False] * 4 + [True]
    assert outliers(bounds, 1.79).tolist() == [False] * 5


def test_rows_are_compared_apart():
    assert outliers(torch.tensor([[1.0, 1.0, 4.0], [4.0, 4.0, 4.0]]), 1.0).tolist() == [
        [False, False, True],
        [False] * 3,
    ]


@pytest.mark.parametrize("bounds", [[5.0], [1.0, inf, 2.0], [inf, inf]])
def test_a_single_or_an_infinite_bound_has_no_outliers(bounds):
    assert not outliers(torch.tensor(bounds), 0.1).any()


def test_of_n_channels_none_lies_further_above_than_the_documentation_says():
    for count in (5, 10, 11):
        alone = torch.eye(count)[0]
        limit = (count - 1) / count**0.5
        assert outliers(alone, limit - 0.01).tolist() == [True] + [False] * (count - 1)
        assert not outliers(alone, limit + 0.01).any()
    assert 9 / 10**0.5 < CLP().u < 10 / 11**0.5


def test_the_sensitive_unit_is_silenced_and_the_others_stay():
    model = units([1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [9.0, 0.0])
    weight, out = model.network.split(pruned(model, u=1.0).parameters)
    assert weight.tolist() == [[1.0, 0.0], [0.0, 1.0], pytest.approx([0.6, 0.8]), [0.0, 0.0]]
    assert torch.equal(out, model.network.split(model.parameters)[1])


def test_every_convolution_is_pruned_by_itself():
    model = started(Cnn(width=8))
    tensors = [tensor.clone() for tensor in model.network.split(model.parameters)]
    tensors[0][3] *= 100
    tensors[1][3] = 5.0
    tensors[4][7] *= 100
    loud = Model(model.network, torch.cat([tensor.flatten() for tensor in tensors]))
    quiet = model.network.split(pruned(loud, u=2.4).parameters)
    assert not quiet[0][3].any()
    assert quiet[1][3] == 0
    assert not quiet[4][7].any()
    silent = sum(int((weight.flatten(1) == 0).all(dim=1).sum()) for weight in (quiet[0], quiet[2], quiet[4]))
    assert silent == 2


def normed(*scales):
    """Return a model whose four channels have equal kernels, and these scales in two groups of normalization."""
    module = nn.Sequential(
        nn.Conv2d(1, 4, 1, bias=False), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2)
    )
    facts = Facts(shape=(1, 2, 2), classes=2)
    return written(module, facts, [1.0] * 4, list(scales), [1.0] * 4, [[1.0] * 16] * 2, [0.0] * 2)


def test_scales_count_within_their_group_and_the_normalization_is_silenced():
    kernel, scales, offsets, *_ = (
        tensor.flatten().tolist()
        for tensor in normed(1.0, 1.0, 1.0, 1.0).network.split(pruned(normed(1.0, -7.0, 50.0, 50.0), u=0.7).parameters)
    )
    assert kernel == [1.0] * 4
    assert scales == [1.0, 0.0, 50.0, 50.0]
    assert offsets == [1.0, 0.0, 1.0, 1.0]


def test_statistics_of_the_batch_are_refused():
    model = started(ResNet18(norm="batch", width=2))
    with pytest.raises(ConfigError, match="^clp: the model divides each channel by a statistic of the batch; use"):
        pruned(model)


def test_a_model_that_is_not_finite_stays_as_it_is():
    model = units([nan, 0.0], [inf, 1.0], [0.0, 1.0])
    assert torch.equal(pruned(model, u=0.1).parameters.nan_to_num(7.0), model.parameters.nan_to_num(7.0))


@pytest.mark.parametrize("u", [0.0, -1.0, nan])
def test_a_threshold_that_is_not_positive_is_refused(u):
    with pytest.raises(ConfigError, match=f"^clp: u={u}; use a finite u > 0$"):
        CLP(u)
