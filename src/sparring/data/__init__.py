"""Data sets, and their partition among clients."""

from sparring.data.conversion import from_arrays
from sparring.data.dataset import Dataset, Source, hold_out, keep_classes, take_examples, with_validation
from sparring.data.datasets.cifar10 import Cifar10
from sparring.data.datasets.cifar100 import Cifar100
from sparring.data.datasets.digits import Digits
from sparring.data.datasets.emnist import Emnist
from sparring.data.datasets.image_folder import ImageFolder
from sparring.data.datasets.mnist import FashionMnist, Mnist
from sparring.data.datasets.synthetic import Synthetic
from sparring.data.mixed_shards import MixedShards
from sparring.data.normalization import Moments
from sparring.data.partitions.assignment import Partition, Partitioner
from sparring.data.partitions.client_skew import ClientSkew, client_skew
from sparring.data.partitions.dirichlet import Dirichlet, dirichlet
from sparring.data.partitions.iid import Iid, iid
from sparring.data.partitions.label_skew import LabelSkew, label_skew
from sparring.data.partitions.sorted_shards import SortedShards, sorted_shards
from sparring.data.root_data import root_sample
from sparring.data.shards import ClientShards, CommonShards, divide, draw_examples
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
    """Return the data set that the catalogue calls `name`, built with these options."""
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
    "MixedShards",
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
    "draw_examples",
    "from_arrays",
    "hold_out",
    "iid",
    "keep_classes",
    "label_skew",
    "load",
    "root_sample",
    "sorted_shards",
    "take_examples",
    "with_validation",
]
