import pytest
import torch

from sparring.conformance import failures
from sparring.conformance.check import format_check_name
from sparring.conformance.datasets import DATASET_CHECKS
from sparring.data import DATASETS, PARTITIONS, Synthetic, load
from sparring.data.datasets.digits import Digits
from sparring.errors import UnknownName
from sparring.registry import build

FAMILIES = [("dataset", DATASETS), ("partition", PARTITIONS)]
REQUIRED = {"image_folder": {"root": "photos"}}
"""Options without a default."""
MEMBERS = [(kind, table, name) for kind, table in FAMILIES for name in table]


@pytest.mark.parametrize(("kind", "table", "name"), MEMBERS)
class TestEveryMember:
    def test_it_is_built_by_its_name_and_what_it_requires(self, kind, table, name):
        section = {"name": name, **REQUIRED.get(name, {})}
        assert build(kind, table, section) == build(kind, table, section)

    def test_it_refuses_an_unknown_option(self, kind, table, name):
        with pytest.raises(UnknownName, match=f"{kind} '{name}' has no option 'sise'"):
            build(kind, table, {"name": name, "sise": 1})


@pytest.mark.parametrize(("kind", "table"), FAMILIES)
def test_catalogs_are_in_alphabetical_order(kind, table):
    assert list(table) == sorted(table)


@pytest.mark.parametrize("check", DATASET_CHECKS, ids=format_check_name)
@pytest.mark.parametrize("source", [Digits(), Synthetic()], ids=repr)
def test_a_source_that_needs_no_file_conforms(source, check):
    assert failures(check, source) == ()


def test_a_misspelt_name_is_answered_by_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'fashion_mnist'"):
        build("dataset", DATASETS, {"name": "fashion_mist"})


def test_a_name_and_options_load_a_data_set():
    loaded, expected = load("synthetic", classes=3, features=2), Synthetic(classes=3, features=2).load()
    assert torch.equal(loaded.train.inputs, expected.train.inputs)
    with pytest.raises(UnknownName, match="unknown data 'digit'; did you mean 'digits'"):
        load("digit")
