"""Examples, and who holds them."""

from sparring.data.conversion import from_arrays
from sparring.data.dataset import Dataset, Source, with_validation
from sparring.data.holdings import ClientShards, CommonShards, divide
from sparring.data.moments import Moments
from sparring.data.partition.assignment import Partition, Partitioner
from sparring.data.partition.client_skew import ClientSkew, client_skew
from sparring.data.partition.dirichlet import Dirichlet, dirichlet
from sparring.data.partition.iid import Iid, iid
from sparring.data.partition.label_skew import LabelSkew, label_skew
from sparring.data.partition.shards import SortedShards, shards
from sparring.data.root import root_sample
from sparring.data.sources.cifar10 import Cifar10
from sparring.data.sources.cifar100 import Cifar100
from sparring.data.sources.digits import Digits
from sparring.data.sources.emnist import Emnist
from sparring.data.sources.image_folder import ImageFolder
from sparring.data.sources.mnist import FashionMnist, Mnist
from sparring.data.sources.synthetic import Synthetic
from sparring.registry import Table, build

DATASETS: Table = {
    "cifar10": Cifar10,
    "cifar100": Cifar100,
    "digits": Digits,
    "emnist": Emnist,
    "fashion_mnist": FashionMnist,
    "image_folder": ImageFolder,
    "mnist": Mnist,
    "synthetic": Synthetic,
}

PARTITIONS: Table = {
    "client_skew": ClientSkew,
    "dirichlet": Dirichlet,
    "iid": Iid,
    "label_skew": LabelSkew,
    "shards": SortedShards,
}


def load(name: str, **options: object) -> Dataset:
    """Return the data set that the catalogue calls `name`, with these options of its own."""
    source: Source = build("data", DATASETS, {"name": name, **options})
    return source.load()


__all__ = [
    "DATASETS",
    "PARTITIONS",
    "Cifar10",
    "Cifar100",
    "ClientShards",
    "ClientSkew",
    "CommonShards",
    "Dataset",
    "Digits",
    "Dirichlet",
    "Emnist",
    "FashionMnist",
    "Iid",
    "ImageFolder",
    "LabelSkew",
    "Mnist",
    "Moments",
    "Partition",
    "Partitioner",
    "SortedShards",
    "Source",
    "Synthetic",
    "client_skew",
    "dirichlet",
    "divide",
    "from_arrays",
    "iid",
    "label_skew",
    "load",
    "root_sample",
    "shards",
    "with_validation",
]
