from collections.abc import Sequence
from math import nan

import pytest
import torch

from sparring.contracts import Memory
from sparring.defenses import Safeguard, safeguard
from sparring.errors import ConfigError
from tests.defenses.views import Notes, view
from tests.matrices import gaussian

BENIGN = torch.zeros(4, 1)
FAR = torch.tensor([[10.0]])
ROUND = torch.cat([BENIGN, FAR])
"""The fifth client is the malicious one."""


def play(rule: Safeguard, rounds: Sequence[torch.Tensor], memory: Memory, *, start: int = 0, **seen):
    """Return who counted in each of the rounds, the last step and the memory."""
    trusted, step = [], None
    for number, updates in enumerate(rounds, start):
        notes = Notes()
        step, memory = rule.aggregate(view(updates, round=number, note=notes, **seen), memory)
        trusted.append(notes["selected"])
    return trusted, step, memory


def test_rows_close_to_the_median_row_are_kept():
    # The scores, distances to the third nearest with the row itself, are 2, 1, 2, 7 and 16: the second is the median.
    rows = torch.tensor([[0.0], [1.0], [2.0], [8.0], [18.0]])
    assert safeguard(rows, floor=0.0).tolist() == [True, True, True, False, False]
    assert safeguard(rows, floor=0.0, multiplier=7.0).tolist() == [True, True, True, True, False]
    assert safeguard(rows, floor=5.0).tolist() == [True, True, True, True, False]


@pytest.mark.parametrize("clients", [0, 1, 2])
def test_of_fewer_than_three_rows_all_are_kept(clients):
    assert safeguard(100 * gaussian(clients, 3)).tolist() == [True] * clients


def test_a_majority_is_kept_of_any_rows():
    for number in range(50):
        assert safeguard(gaussian(9, 4, name=f"rows {number}"), floor=0.0).sum() > 4


def test_an_update_still_counts_in_the_round_that_betrays_it():
    trusted, step, _ = play(Safeguard(), [ROUND], {})
    assert trusted == [(0, 1, 2, 3, 4)]
    assert step.item() == 2
    trusted, step, _ = play(Safeguard(), [ROUND, ROUND], {})
    assert trusted[1] == (0, 1, 2, 3)
    assert step.item() == 0


def test_small_deviations_add_up_until_they_betray():
    # Each round adds 1.5 / 5 to the fifth client's sum, and 1.5 times the floor of 0.5 is 0.75.
    creeping = torch.cat([BENIGN, torch.tensor([[1.5]])])
    trusted, _, _ = play(Safeguard(), [creeping] * 5, {})
    assert [4 in rows for rows in trusted] == [True, True, True, False, False]


def test_a_short_window_forgets_what_a_long_one_adds_up():
    creeping = torch.cat([BENIGN, torch.tensor([[1.5]])])
    forgetful, _, _ = play(Safeguard(short_window=2, long_window=2), [creeping] * 8, {})
    patient, _, _ = play(Safeguard(short_window=2, long_window=4), [creeping] * 8, {})
    assert [4 in rows for rows in forgetful] == [True] * 8
    assert [4 in rows for rows in patient] == [True] * 3 + [False] * 5


def test_a_window_begins_at_its_multiples_even_if_that_round_was_empty():
    creeping = torch.cat([BENIGN, torch.tensor([[1.5]])])
    rule = Safeguard(short_window=1, long_window=3)
    _, _, memory = play(rule, [creeping] * 2, {})
    trusted, _, memory = play(rule, [creeping] * 2, memory, start=4)
    assert [4 in rows for rows in trusted] == [True, True]
    assert memory["long"].flatten().tolist() == pytest.approx([0, 0, 0, 0, 0.6])


def test_absent_clients_keep_their_accumulators_and_their_standing():
    rule = Safeguard()
    _, _, memory = play(rule, [ROUND], {}, clients=(3, 1, 4, 0, 8))
    _, _, memory = play(rule, [torch.ones(2, 1)], memory, start=1, clients=(1, 6))
    held = dict(zip(memory["clients"].tolist(), memory["short"].flatten().tolist(), strict=True))
    assert held == pytest.approx({1: 0.5, 6: 0.5, 3: 0, 4: 0, 0: 0, 8: 2})
    trusted, _, _ = play(rule, [FAR, torch.cat([FAR, BENIGN])], memory, start=2, clients=(8, 3, 1, 4, 0))
    assert trusted == [(), (1, 2, 3, 4)]


def test_without_a_client_that_is_not_expelled_nothing_moves():
    _, _, memory = play(Safeguard(), [ROUND], {})
    step, after = Safeguard().aggregate(view(FAR, clients=(4,), round=1), memory)
    assert step.item() == 0
    assert after is memory


def test_the_expelled_are_readmitted_with_a_long_window_if_so_set():
    rule = Safeguard(short_window=2, long_window=4, readmit=True)
    trusted, _, _ = play(rule, [ROUND] * 6, {})
    assert [4 in rows for rows in trusted] == [True, False, False, False, True, False]


def test_a_lost_row_leaves_its_client_as_it_was():
    lost = torch.tensor([[nan], [0.0], [0.0]])
    _, _, memory = play(Safeguard(), [ROUND], {})
    trusted, _, after = play(Safeguard(), [lost], memory, start=1)
    assert trusted == [(1, 2)]
    before, now = (dict(zip(each["clients"].tolist(), each["long"].tolist(), strict=True)) for each in (memory, after))
    assert before == now


def test_noise_has_the_deviation_that_is_set():
    step, _ = Safeguard(noise=0.1).aggregate(view(torch.zeros(3, 50_000)), {})
    assert step.std().item() == pytest.approx(0.1, rel=0.02)


def test_huge_accumulators_saturate():
    huge = torch.full((3, 2), 3.4e38)
    _, step, memory = play(Safeguard(), [huge] * 9, {})
    assert torch.isfinite(step).all()
    assert all(torch.isfinite(tensor).all() for tensor in memory.values())


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"short_window": 0}, "short_window=0; use short_window >= 1"),
        ({"long_window": 49}, r"long_window=49; use long_window >= short_window \(50\)"),
        ({"multiplier": 0.5}, "multiplier=0.5; use multiplier >= 1"),
        ({"floor": -1.0}, "floor=-1.0; use floor >= 0"),
        ({"noise": nan}, "noise=nan; use noise >= 0"),
    ],
)
def test_impossible_settings_are_refused(settings, remedy):
    with pytest.raises(ConfigError, match=f"^safeguard: {remedy}$"):
        Safeguard(**settings)
