"""Models: networks as functions of a flat parameter vector."""

from sparring.models.cnn import Cnn
from sparring.models.cnn7 import Cnn7
from sparring.models.lenet import LeNet
from sparring.models.logistic import Logistic
from sparring.models.mlp import Mlp
from sparring.models.module_network import Architecture, ModuleNetwork, network
from sparring.models.resnet18 import ResNet18
from sparring.models.strided_cnn import StridedCnn
from sparring.registry import Table

MODELS: Table = {
    "cnn": Cnn,
    "cnn7": Cnn7,
    "lenet": LeNet,
    "logistic": Logistic,
    "mlp": Mlp,
    "resnet18": ResNet18,
    "strided_cnn": StridedCnn,
}

__all__ = [
    "MODELS",
    "Architecture",
    "Cnn",
    "Cnn7",
    "LeNet",
    "Logistic",
    "Mlp",
    "ModuleNetwork",
    "ResNet18",
    "StridedCnn",
    "network",
]
