"""Small federations that the tests of several layers play in."""

from dataclasses import dataclass

from sparring.contracts import Recipe
from sparring.data import ClientShards, Dataset, Iid, Synthetic
from sparring.federation import Federation
from sparring.models import Architecture, Logistic, network
from sparring.random import stream


@dataclass(frozen=True)
class Facts:
    """What a model must know of a data set."""

    shape: tuple[int, ...] = (1, 28, 28)
    classes: int = 10
    mean: tuple[float, ...] = (0.1,)
    std: tuple[float, ...] = (0.3,)


def clouds(examples: int = 240) -> Dataset:
    """Return three Gaussian classes in four dimensions."""
    return Synthetic(classes=3, features=4, examples=examples).load()


def small_federation(
    *, clients: int = 12, data: Dataset | None = None, model: Architecture | None = None, **settings: object
) -> Federation:
    """Return a federation that plays a round in a millisecond."""
    data = clouds() if data is None else data
    shards = ClientShards(data.train, Iid().assign(data.train.labels, clients, rng=stream(0, "partition")))
    fitted = network(Logistic() if model is None else model, data)
    defaults = {"sampled": 6, "recipe": Recipe(steps=1, batch=5, lr=0.5)}
    return Federation(network=fitted, shards=shards, test=data.test, **{**defaults, **settings})
