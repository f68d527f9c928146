from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.experiments.analysis.claims import UNJUDGED_SCALE
from sparring.experiments.reproductions.preset import SCALES
from sparring.experiments.reproductions.rla.bound import (
    DATA,
    HEADER,
    PARAMETERS,
    SIZES,
    calculate,
    draw_game,
    judge,
    list_parts,
    make_estimates,
    make_tables,
)
from sparring.learning.theory.bound_constants import ingredients, longest
from sparring.random import stream

ROW = {"data": "iid", "rounds": 5, "seed": 0, "estimate": "own examples", "distance": 0.1, "largest": 2.0}
HOLDS, BROKEN, DOUBTFUL = (
    {**ROW, "seed": seed, "loss": loss, "error": 0.01, "bound": 0.5} for seed, loss in enumerate([0.1, 0.6, 0.51])
)


@pytest.fixture(scope="module")
def rows():
    return [{**part, **row} for part in list_parts("smoke") for row in calculate("smoke", part)]


def game(data="iid", seed=0):
    return draw_game(SIZES["smoke"], data=data, rounds=2, rng=stream(seed, "data"))


def test_no_estimate_costs_more_than_the_bound(rows):
    assert len(rows) == len(DATA) * len(make_estimates(game(), rng=stream(0, "noise")))
    assert all(0 <= row["loss"] + 2 * row["error"] <= row["bound"] for row in rows)


def test_wrong_labels_cost_something(rows):
    assert all(row["loss"] > 0.01 for row in rows if row["estimate"] == "wrong labels")


def test_with_data_alike_and_hardly_any_noise_the_bound_says_something(rows):
    bounds = {(row["data"], row["estimate"]): row["bound"] / row["largest"] for row in rows}
    assert bounds["alike", "all but exact"] < 0.1
    assert bounds["alike", "wrong labels"] > 1


def test_a_part_is_calculated_from_its_labels_alone(rows):
    part = list_parts("smoke")[1]
    again = [{**part, **row} for row in calculate("smoke", part)]
    assert again == [row for row in rows if row["data"] == part["data"]]


@pytest.mark.parametrize("data", DATA)
def test_the_longest_example_has_norm_one(data):
    played = game(data)
    assert longest(played, played.own) == pytest.approx(1)
    assert played.size == PARAMETERS
    assert len(played.shards) == (1 if data == "alike" else played.benign)


def test_clients_with_classes_of_their_own_lie_farther_from_their_mixture():
    distances = [
        np.mean(
            [ingredients(each, each.shards.flatten(0, 1)).distance for each in (game(data, seed) for seed in range(9))]
        )
        for data in DATA
    ]
    assert distances == sorted(distances)


def test_an_estimate_is_as_far_off_as_its_name_says():
    played = game()
    mixture = played.shards.flatten(0, 1)
    guesses = make_estimates(played, rng=stream(0, "noise"))
    errors = {name: float((guess - mixture).norm(dim=1).mean()) for name, guess in guesses.items() if "own" not in name}
    assert errors["all but exact"] < 1e-3 < errors["with noise"] < errors["wrong labels"]
    assert torch.equal(guesses["own examples"], played.own)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [([HOLDS], "holds"), ([HOLDS, DOUBTFUL], "undecided"), ([HOLDS, DOUBTFUL, BROKEN], "does not hold")],
)
def test_one_broken_bound_is_enough(found, verdict):
    (judgment,) = judge("laptop", found)
    assert judgment.verdict == verdict
    (unjudged,) = judge(UNJUDGED_SCALE, found)
    assert unjudged.verdict == "not judged"


def test_a_line_has_means_over_seeds_and_the_least_bound():
    found = [HOLDS, {**HOLDS, "seed": 1, "loss": 0.3, "distance": 0.3, "largest": 1.0, "bound": 0.4}]
    _, iid, _ = make_tables(found)
    assert (iid.title, iid.header) == ("theorem 1, data iid", HEADER)
    assert iid.rows == (("5", "own examples", "0.2", "0.2000 ± 0.1414, n = 2", "1", "0.4", "holds"),)


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_has_games_of_all_kinds(scale):
    size = SIZES[scale]
    assert {part["data"] for part in list_parts(scale)} == set(DATA)
    assert len(list_parts(scale)) == len(DATA) * len(size.rounds) * size.seeds
    drawn = draw_game(replace(size, rounds=(1,)), data="iid", rounds=1, rng=stream(0, "data"))
    assert drawn.share == 0.8
