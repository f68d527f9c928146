"""What a person prints fits on a screen: objects, tables, and the signatures that `help` shows."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

import numpy as np
import pytest
import torch

import sparring
from sparring.arrays import Batch, briefly
from sparring.attacks import InnerProduct
from sparring.data import CommonShards
from sparring.defenses import Median
from sparring.experiments import CATALOGUES, load_model
from sparring.federation import Attacker, Scenario, initial_state, train
from sparring.models import LeNet, network
from sparring.snapshot import Snapshot
from tests.settings import Facts, clouds, small_federation

SCREEN = 24 * 80
HALF = SCREEN // 2
TENSORS = ("Tensor", "NDArray", "ndarray", "torch.nn")


def public() -> Iterator[tuple[str, Any]]:
    """Yield what the packages offer, each once, by the name of the module that offers it."""
    seen: set[int] = set()
    for found in pkgutil.walk_packages(sparring.__path__, "sparring."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for name in getattr(module, "__all__", ()):
            offered = getattr(module, name)
            if id(offered) not in seen:
                seen.add(id(offered))
                yield f"{found.name}.{name}", offered


PUBLIC = dict(public())
SHOWN_TENSORS = ("sparring.contracts", "sparring.arrays")


def shown(cls: type) -> list[str]:
    """Return the names of the fields that a class's own repr would show."""
    return [field.name for field in fields(cls) if field.repr] if is_dataclass(cls) else list(cls._fields)


def records() -> Iterator[type]:
    """Yield the public dataclasses and named tuples, and those that players are shown."""
    modules = [importlib.import_module(name) for name in SHOWN_TENSORS]
    for each in (*PUBLIC.values(), *(value for module in modules for value in vars(module).values())):
        if isinstance(each, type) and (is_dataclass(each) or hasattr(each, "_fields")):
            yield each


def test_every_signature_fits_on_half_a_screen():
    long = {}
    for name, offered in PUBLIC.items():
        if inspect.isroutine(offered) or (inspect.isclass(offered) and is_dataclass(offered)):
            length = len(str(inspect.signature(offered)))
            long |= {name: length} if length > HALF else {}
    assert not long


def test_every_table_fits_on_a_screen():
    long = {name for name, offered in PUBLIC.items() if len(repr(offered)) > SCREEN}
    # What they hold are functions, and classes.
    assert long <= {"sparring.conformance.CHECKS", "sparring.defenses.DEFENSES"}


def test_the_catalogues_are_counted_where_they_are_a_default():
    assert len(repr(CATALOGUES)) < 200
    assert len(str(inspect.signature(load_model))) < 400


def test_no_record_prints_its_tensors():
    printing = [
        cls.__name__
        for cls in records()
        if any(word in str(get_type_hints(cls).get(name)) for name in shown(cls) for word in TENSORS)
        and "__repr__" not in vars(cls)
    ]
    assert not printing, f"give them `briefly` as their repr: {', '.join(sorted(set(printing)))}"


def test_what_a_training_makes_is_told_in_a_few_lines():
    data = clouds()
    federation = small_federation(data=data)
    scenario = Scenario(federation, Median(), [Attacker(2, InnerProduct())])
    result = train(scenario, rounds=2, every=1)
    objects = (data, data.train, federation.shards, CommonShards(data.train, 3), federation, scenario, result)
    for each in (*objects, result.model, result.records[-1], federation.network, initial_state(federation)):
        assert len(repr(each)) < 500, type(each).__name__
    assert repr(data.train) == "Batch(inputs=float32[240, 4], labels=int64[240])"
    assert repr(federation.network) == "ModuleNetwork(Sequential, 15 parameters)"
    assert repr(result).startswith(f"Result(3 records, accuracy={result.accuracy:.4g}, average_accuracy=")


def test_a_large_network_is_told_by_its_size():
    assert repr(network(LeNet(), Facts())).startswith("ModuleNetwork(")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (torch.zeros(2, 3), "float32[2, 3]"),
        (np.zeros(4, dtype=np.uint8), "uint8[4]"),
        ({"a": torch.zeros(1)}, "{'a': float32[1]}"),
        ((1, torch.zeros(1)), "(1, float32[1])"),
        (list(range(1000)), "<list of 1000>"),
        (dict.fromkeys(range(1000), 0), "<dict of 1000>"),
        ("word", "'word'"),
        ("long " * 1000, "<str>"),
        (None, "None"),
    ],
)
def test_each_value_is_told_briefly(value, told):
    assert briefly(Batch(value, 1)) == f"Batch(inputs={told}, labels=1)"


def test_a_packed_state_is_told_by_what_it_holds():
    assert repr(Snapshot({"w": torch.zeros(9)}, {"round": 3})) == "Snapshot(1 tensors, numbers=['round'])"
