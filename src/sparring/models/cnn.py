"""The convolutional network of the CleverHans tutorial, used by the federated papers on MNIST and Fashion-MNIST."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from sparring.errors import ConfigError
from sparring.models.convolution import Convolution
from sparring.models.initialization import Initial

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "elu": nn.ELU}


@dataclass(frozen=True)
class Cnn:
    """Convolutions 8×8 stride 2, 6×6 stride 2 and 5×5 with `width`, 2·width and 2·width channels, and a linear layer.

    `width=64` is the published network. The RL attack (RLA) and the meta-Stackelberg game (MSG) use ReLU, and
    the attack of several RL agents (MARL) uses ELU.
    """

    initial: ClassVar[Initial] = "random"
    width: int = 64
    """Channels of the first convolution, at least 1."""
    activation: Literal["relu", "elu"] = "relu"
    """The nonlinearity after each convolution."""
    paper: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ConfigError(f"cnn.width is {self.width}; it must be at least 1")

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        if len(shape) != 3 or min(shape[1:]) < 26:
            raise ConfigError(f"cnn: inputs of shape {list(shape)}; use images of at least 26×26 pixels")
        sides = [((side - 2) // 2 + 1 - 6) // 2 + 1 - 4 for side in shape[1:]]
        act, wide = ACTIVATIONS[self.activation], 2 * self.width
        return nn.Sequential(
            *(Convolution(shape[0], self.width, kernel=8, stride=2, padding=3), act()),
            *(Convolution(self.width, wide, kernel=6, stride=2), act()),
            *(Convolution(wide, wide, kernel=5), act()),
            *(nn.Flatten(), nn.Linear(wide * sides[0] * sides[1], classes)),
        )
