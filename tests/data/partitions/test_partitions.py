"""What every partition promises."""

from dataclasses import fields

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.conformance import failures
from sparring.conformance.check import format_check_name
from sparring.conformance.partitions import PARTITION_CHECKS
from sparring.data import PARTITIONS, ClientSkew, Dirichlet, Iid, LabelSkew, Partition, Partitioner, SortedShards
from sparring.errors import ConfigError
from sparring.random import stream
from tests.data.examples import balanced_labels

EXAMPLES = {
    "client_skew": (ClientSkew(), ClientSkew(main_label_probability=0.0), ClientSkew(main_label_probability=1.0)),
    "dirichlet": (Dirichlet(), Dirichlet(alpha=1e-300), Dirichlet(alpha=1e6), Dirichlet(alpha=0.05, minimum=3)),
    "iid": (Iid(),),
    "label_skew": (LabelSkew(), LabelSkew(q=0.0), LabelSkew(q=1.0)),
    "shards": (SortedShards(), SortedShards(per_client=1)),
}
PARTITIONERS = [each for examples in EXAMPLES.values() for each in examples]


def least(partitioner: Partitioner) -> int:
    """Return how many examples a client must be able to get."""
    return max([1, *(getattr(partitioner, name, 1) for name in ("minimum", "per_client"))])


def assign(partitioner: Partitioner, labels: torch.Tensor, clients: int, seed: int = 0) -> Partition:
    return partitioner.assign(labels, clients, rng=stream(seed, "partition"))


def test_every_partition_has_an_example():
    assert EXAMPLES.keys() == PARTITIONS.keys()
    for name, examples in EXAMPLES.items():
        assert {type(each) for each in examples} == {PARTITIONS[name]}


@pytest.mark.parametrize("partitioner", PARTITIONERS, ids=repr)
class TestPartitionContract:
    @given(data=st.data(), labels=st.lists(st.integers(0, 6), min_size=3, max_size=60), seed=st.integers(0, 99))
    def test_every_example_has_one_owner_and_every_client_an_example(self, partitioner, data, labels, seed):
        clients = data.draw(st.integers(1, len(labels) // least(partitioner)), "clients")
        order, offsets = assign(partitioner, torch.tensor(labels), clients, seed)
        assert sorted(order.tolist()) == list(range(len(labels)))
        assert len(offsets) == clients + 1
        assert (offsets[0], offsets[-1]) == (0, len(labels))
        assert offsets.diff().min() >= getattr(partitioner, "minimum", 1)

    @pytest.mark.parametrize("check", PARTITION_CHECKS, ids=format_check_name)
    def test_it_conforms(self, partitioner, check):
        assert failures(check, partitioner) == ()

    def test_another_stream_gives_another_partition(self, partitioner):
        labels = balanced_labels(10, 50)
        one, other = (assign(partitioner, labels, 20, seed) for seed in (0, 1))
        assert not torch.equal(one.order, other.order)

    def test_one_client_holds_everything(self, partitioner):
        assert assign(partitioner, balanced_labels(3, 5), 1).offsets.tolist() == [0, 15]

    def test_an_exhausted_class_leaves_nobody_empty(self, partitioner):
        labels = torch.tensor([0] * 98 + [5, 9])
        assert assign(partitioner, labels, 30).offsets.diff().min() >= 1

    def test_more_clients_than_examples_are_refused_with_their_numbers(self, partitioner):
        with pytest.raises(ConfigError, match=r"clients is 16; .* and there are 15, enough for (15|7|5)"):
            assign(partitioner, balanced_labels(3, 5), 16)

    @pytest.mark.parametrize("clients", [0, -1])
    def test_no_client_is_refused(self, partitioner, clients):
        with pytest.raises(ConfigError, match=f"clients is {clients}; it must be at least 1"):
            assign(partitioner, balanced_labels(3, 5), clients)


@pytest.mark.parametrize(
    ("cls", "option", "value", "message"),
    [
        (LabelSkew, "q", 1.1, "label_skew: q is 1.1; it must be 0 to 1"),
        (LabelSkew, "q", -0.1, "q is -0.1"),
        (LabelSkew, "q", float("nan"), "q is nan"),
        (ClientSkew, "main_label_probability", 1.1, "client_skew: main_label_probability is 1.1; it must be 0 to 1"),
        (ClientSkew, "main_label_probability", float("nan"), "main_label_probability is nan"),
        (Dirichlet, "alpha", 0.0, "dirichlet: alpha is 0.0; it must be above 0"),
        (Dirichlet, "alpha", float("inf"), "alpha is inf"),
        (Dirichlet, "minimum", 0, "dirichlet: minimum is 0; it must be at least 1"),
        (SortedShards, "per_client", 0, "shards: per_client is 0; it must be at least 1"),
    ],
)
def test_a_setting_out_of_range_is_refused_when_set(cls, option, value, message):
    assert option in {field.name for field in fields(cls)}
    with pytest.raises(ConfigError, match=message):
        cls(**{option: value})
