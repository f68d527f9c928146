"""Checks of data set sources."""

from collections.abc import Iterator

from sparring.conformance.check import Check, are_equal
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.data import Dataset, Source


def it_loads_a_data_set(source: Source) -> Iterator[str]:
    # A Dataset itself rejects examples that no model accepts.
    loaded: object = source.load()
    if not isinstance(loaded, Dataset):
        yield f"it loads {type(loaded).__name__}; it must load a Dataset, such as sparring.data.from_arrays returns"


def loading_twice_gives_the_same_examples(source: Source) -> Iterator[str]:
    first, second = source.load(), source.load()
    if not are_equal((*first.train, *first.test), (*second.train, *second.test)):
        yield "loaded twice, its examples differ; draw from a stream of sparring.random"


DATASET_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    it_loads_a_data_set,
    loading_twice_gives_the_same_examples,
)
