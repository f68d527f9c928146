import pytest
import torch

from sparring.defenses import SignGuard, signguard
from sparring.defenses.aggregation.signguard import _features, _signs
from sparring.errors import ConfigError
from sparring.random import stream
from tests.defenses.views import Notes, view
from tests.matrices import gaussian

ALIKE = torch.tensor([1.0, 1.0, 1.0, -1.0])
"""Three quarters of the signs are positive."""
ALL = {"fraction": 1.0}


def selected(updates: torch.Tensor, **settings: object) -> tuple[int, ...]:
    notes = Notes()
    SignGuard(**settings).aggregate(view(updates, note=notes), {})
    return notes["selected"]


@pytest.mark.parametrize(("size", "kept"), [(0.09, False), (0.1, True), (1.0, True), (3.0, True), (3.1, False)])
def test_only_norms_between_the_bounds_are_admitted(size, kept):
    assert (5 in selected(torch.stack([ALIKE] * 5 + [size * ALIKE]), **ALL)) == kept


@pytest.mark.parametrize("odd", [-ALIKE, ALIKE.abs(), ALIKE * torch.tensor([2.0, 0.0, 0.0, 1.0])])
def test_only_the_largest_cluster_of_signs_is_admitted(odd):
    updates = torch.stack([odd, *[ALIKE.roll(place) for place in range(4)], odd])
    assert selected(updates, **ALL) == (1, 2, 3, 4)


def test_admitted_rows_are_clipped_to_the_median_norm_and_averaged():
    # The median norm is 2: of the admitted, 6 is clipped to it.
    updates = torch.stack([ALIKE / 2, ALIKE, 3 * ALIKE, 1e9 * ALIKE, -ALIKE])
    notes = Notes()
    step, _ = SignGuard(**ALL).aggregate(view(updates, note=notes), {})
    assert notes == {"selected": (0, 1, 2), "clipped": (2,)}
    torch.testing.assert_close(step, ALIKE * (0.5 + 1 + 1) / 3)


def test_where_no_row_passes_both_filters_the_result_is_zero():
    # The four zero rows are the largest cluster and too short; the others, with 0 to 4 positive values, are longer.
    updates = torch.cat([torch.zeros(4, 4), torch.ones(5, 4).tril(-1) * 2 - 1])
    assert torch.equal(signguard(updates, stream(0), fraction=1.0), torch.zeros(4))


def test_signs_are_counted_on_coordinates_drawn_in_each_round():
    updates = gaussian(15, 50)
    chosen = set()
    for number in range(20):
        notes = Notes()
        SignGuard().aggregate(view(updates, round=number, note=notes), {})
        chosen.add(notes["selected"])
    assert len(chosen) > 1


def test_many_coordinates_are_counted_in_blocks():
    updates = torch.cat([gaussian(40, 60_000) + 0.5, gaussian(10, 60_000) - 0.5])
    assert selected(updates, fraction=0.5) == tuple(range(40))


def test_the_defaults_are_those_of_the_authors():
    assert SignGuard() == SignGuard(shortest=0.1, longest=3.0, fraction=0.1)


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"shortest": -0.1}, "shortest=-0.1; use shortest >= 0"),
        ({"longest": 0.0}, "longest=0.0; use a finite longest > 0"),
        ({"fraction": 0.0}, "fraction=0.0; use a finite fraction > 0"),
        ({"shortest": 4.0}, r"shortest=4.0; use shortest <= longest \(3.0\)"),
    ],
)
def test_impossible_settings_are_refused(settings, remedy):
    with pytest.raises(ConfigError, match=f"^signguard: {remedy}$"):
        SignGuard(**settings)
    with pytest.raises(ConfigError, match=f"^signguard: {remedy}$"):
        signguard(torch.zeros(3, 4), stream(0), **settings)


def signs(*counts: tuple[int, int, int]) -> torch.Tensor:
    """Return rows with so many positive, zero and negative values."""
    return torch.tensor([[1.0] * up + [0.0] * still + [-1.0] * down for up, still, down in counts])


def test_the_released_variant_divides_each_share_by_its_largest_over_the_clients():
    updates = signs((8, 2, 10), (9, 1, 10), (10, 0, 10))
    rule = SignGuard(fraction=1.0, variant="released")
    # The largest shares are 10 of 20, 2 of 20 and 10 of 20.
    expected = torch.tensor([[0.8, 1.0, 1.0], [0.9, 0.5, 1.0], [1.0, 0.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(_features(updates, stream(0), rule=rule), expected)
    plain = _features(updates, stream(0), rule=SignGuard(fraction=1.0))
    torch.testing.assert_close(plain, expected * torch.tensor([0.5, 0.1, 0.5]))


def test_a_share_that_no_client_has_stays_zero():
    rule = SignGuard(fraction=1.0, variant="released")
    assert _features(signs((1, 0, 3), (2, 0, 2)), stream(0), rule=rule)[:, 1].tolist() == [0, 0]


def test_the_released_variant_counts_a_block_of_neighboring_coordinates():
    updates = torch.full((1, 100), -1.0)
    updates[:, 50:] = 1.0
    rule = SignGuard(fraction=0.1, variant="released")
    shares = [_signs(updates, block)[0, 0].item() for block in (torch.arange(45, 55), torch.arange(10))]
    assert shares == [0.5, 0.0]
    drawn = {_signs_of(updates, rule, number) for number in range(200)}
    assert {0.0, 1.0} < drawn  # scattered coordinates would hardly ever be all of one sign


def _signs_of(updates: torch.Tensor, rule: SignGuard, number: int) -> float:
    """Return whether the largest, here the only, share of positive values was none, some or all of the block."""
    positive, _, negative = _features(updates, stream(0, number), rule=rule)[0].tolist()
    return (positive + 1 - negative) / 2


def test_an_unknown_variant_is_refused():
    with pytest.raises(ConfigError, match="^signguard: variant='raw'; use one of: published, released$"):
        SignGuard(variant="raw")
