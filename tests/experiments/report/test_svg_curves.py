import pytest

from sparring.experiments.report.svg_curves import MOST_LINES, MOST_POINTS, Band, make_band, make_plots
from tests.experiments.report.studies import study


def test_a_band_is_the_mean_and_the_range_over_seeds():
    found = make_band([[(0, 0.1), (10, 0.5)], [(0, 0.3), (10, 0.9)]])
    assert found == Band([0, 10], pytest.approx([0.2, 0.7]), [0.1, 0.5], [0.3, 0.9])


def test_a_band_has_the_rounds_that_all_seeds_were_measured_after():
    assert make_band([[(0, 0.1), (5, 0.2), (10, 0.5)], [(0, 0.3), (10, 0.9)]]).rounds == [0, 10]


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    rounds = make_band([[(round, 0.5) for round in range(1000)]]).rounds
    assert len(rounds) == MOST_POINTS
    assert (rounds[0], rounds[-1]) == (0, 999)


def test_a_grid_has_a_plot_an_attack_and_a_line_a_defense():
    axes = {"attack": ["none", "ipm"], "defense": ["mean", "krum"], "seed": ["0"]}
    found = make_plots(study(axes, {("none", "mean", "0"): 0.5, ("none", "krum", "0"): 0.5, ("ipm", "krum", "0"): 0.5}))
    assert {plot.title: list(plot.bands) for plot in found} == {"none": ["mean", "krum"], "ipm": ["krum"]}


def test_many_lines_without_attacks_are_parted():
    values = [str(place) for place in range(MOST_LINES + 1)]
    found = make_plots(study({"q": values}, {(value,): 0.5 for value in values}))
    assert [len(plot.bands) for plot in found] == [MOST_LINES, 1]


def test_nothing_is_drawn_of_what_is_not_complete():
    assert make_plots(study({"q": ["0.1"]}, {})) == ()
