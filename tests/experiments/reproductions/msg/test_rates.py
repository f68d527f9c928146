from itertools import repeat

import numpy as np
import pytest
import torch

from sparring.experiments.reproductions.msg.rates import (
    EXPONENTS,
    NoisyTask,
    draw_types,
    find_constants,
    fit_slope,
    iterations_to,
    make_tasks,
    measure_noise,
    measure_rates,
)
from sparring.learning.meta.policy_gradient import gradient
from sparring.random import stream


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_the_first_iteration_within_each_accuracy_counts():
    assert iterations_to([0.5, 0.2, 0.1], iter([0.9, 0.4, 0.6, 0.05]), most=10) == [1, 3, 3]
    assert iterations_to([0.5, 0.2], repeat(0.3), most=10) == [0, 10]


def test_a_power_is_fitted():
    accuracies = [0.1, 0.05, 0.02, 0.01]
    assert fit_slope(accuracies, [7 * accuracy**-1.3 for accuracy in accuracies]) == pytest.approx(1.3)


@pytest.mark.parametrize(("game", "near"), [("flat top", 0.2), ("endless rise", 0.1)])
def test_iterations_grow_as_gradient_ascent_does(game, near):
    accuracies = (0.1, 0.07, 0.05)
    if game == "flat top":
        accuracies = (0.01, 0.004, 0.001)
    rows = measure_rates(game, seed=0, accuracies=accuracies, most=300)
    assert fit_slope(accuracies, [row["taken"] for row in rows]) == pytest.approx(EXPONENTS[game], abs=near)
    assert all(row["taken"] < row["N_D"] for row in rows)


def test_constants_are_those_of_the_types():
    types = draw_types("springs", stream(3, "types"))
    given = find_constants("springs", make_tasks(types), noise=2.0)
    assert given.noise == 2.0
    assert given.curvature == pytest.approx(min(each.curvature for each in types))
    assert given.diameter == 2.0


def test_noise_is_in_the_gradient_alone():
    task = make_tasks(draw_types("springs", stream(0, "types")))[0]
    noisy, rng, theta, phi = NoisyTask(task, 0.5), stream(0, "noise"), numbers(0.4), numbers(-0.2)
    clear = task.leader(theta, phi, rng)
    drawn = [noisy.leader(theta, phi, rng) for _ in range(400)]
    slopes = [gradient(each.mean, theta).item() for each in drawn]
    assert {float(each.value) for each in drawn} == {float(clear.value)}
    assert np.mean(slopes) == pytest.approx(gradient(clear.mean, theta).item(), abs=0.1)
    assert np.std(slopes) == pytest.approx(0.5, rel=0.15)
    assert gradient(noisy.follower(theta, phi, rng).mean, phi) != gradient(task.follower(theta, phi, rng).mean, phi)
    assert (noisy.weight, noisy.adaptive) == (task.weight, task.adaptive)


def test_as_printed_episodes_are_too_few_where_noise_is_large():
    corrected, printed = measure_noise(1000.0, accuracy=0.1, repeats=1, steps=8)
    assert (corrected["counts"], printed["counts"]) == ("corrected", "printed")
    assert corrected["reached"] < 0.1 < 10 < printed["reached"]
    assert printed["N_b"] < 10
