import pytest
import torch

from sparring.defenses import Bucketing, Clipped, FoolsGold, Median, NearestNeighborMixing, Safeguard
from sparring.defenses.aggregation.toolkit.client_memory import add_updates, list_client_ids, recall
from sparring.errors import ConfigError

MEMORY = {"clients": torch.tensor([7, 2, 9]), "sums": torch.tensor([[70.0, 1.0], [20.0, 2.0], [90.0, 3.0]])}


def test_the_clients_of_the_round_come_before_the_absent_ones():
    assert list_client_ids(MEMORY, [0, 9, 4]).tolist() == [0, 9, 4, 7, 2]


def test_before_the_first_round_nobody_is_known():
    assert list_client_ids({}, [3, 1]).tolist() == [3, 1]
    assert list_client_ids({}, []).tolist() == []


def test_each_client_finds_its_own_and_a_new_one_starts_anew():
    held = recall(MEMORY, "sums", ids=list_client_ids(MEMORY, [0, 9]), new=torch.zeros(2))
    assert held.tolist() == [[0, 0], [90, 3], [70, 1], [20, 2]]


def test_flags_are_remembered_like_sums():
    memory = {"clients": torch.tensor([5, 0]), "good": torch.tensor([False, True])}
    assert recall(memory, "good", ids=torch.tensor([0, 1, 5]), new=torch.tensor(True)).tolist() == [True, True, False]


def test_what_is_recalled_is_a_copy():
    recall(MEMORY, "sums", ids=MEMORY["clients"], new=torch.zeros(2)).zero_()
    assert MEMORY["sums"][0].tolist() == [70, 1]


def test_updates_are_added_to_the_first_rows_and_saturate():
    largest = torch.finfo(torch.float32).max
    sums = torch.tensor([[1.0, largest], [5.0, -largest]])
    assert add_updates(sums, torch.tensor([[4.0, largest]]), scale=0.5).tolist() == [[3.0, largest], [5.0, -largest]]


@pytest.mark.parametrize(
    ("wrapper", "name"), [(Bucketing, "bucketing"), (NearestNeighborMixing, "nearest_neighbor_mixing")]
)
class TestAverages:
    @pytest.mark.parametrize("rule", [Safeguard(), FoolsGold()], ids=repr)
    @pytest.mark.parametrize("wrapped", [lambda rule: rule, Clipped, lambda rule: Clipped(Clipped(rule))])
    def test_a_rule_that_remembers_clients_is_not_given_averages_over_them(self, wrapper, name, rule, wrapped):
        with pytest.raises(ConfigError, match=f"^{name}: inner {type(rule).__name__} remembers each client"):
            wrapper(wrapped(rule))

    def test_other_rules_are(self, wrapper, name):
        assert wrapper(Clipped(Median())).inner == Clipped(Median())
