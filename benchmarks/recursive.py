"""Cost of perturbing and purifying a minibatch of 500 MNIST-shaped images by levels of reasoning, in plain steps."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from benchmarks.timing import interleaved
from sparring.arrays import Batch
from sparring.attacks import Influence
from sparring.attacks import LevelK as LevelKAttack
from sparring.contracts import Memory, MinibatchRecipe, MinibatchView, Network, Perturbation, Preparation, Preparing
from sparring.defenses import LevelK as LevelKDefense
from sparring.models import Mlp, network
from sparring.models.convolution import Convolution
from sparring.random import stream
from sparring.training import Adam, CrossEntropy, keep_freed_memory, summed_gradient

LR = 8e-4


class Sizes(NamedTuple):
    """The number of training examples, of which the history is kept; of a minibatch; and of the validation data."""

    train: int = 5000
    batch: int = 500
    validation: int = 500
    full: int = 5000


SIZES = Sizes()


@dataclass(frozen=True)
class TwoConvolutions:
    """The paper's model of MNIST: kernels of 5 by 5 with a stride of 2 and no pooling, 92 330 parameters."""

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        return nn.Sequential(
            Convolution(1, 16, kernel=5, stride=2),
            nn.ReLU(),
            Convolution(16, 64, kernel=5, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(1024, 64),
            nn.ReLU(),
            nn.Linear(64, classes),
        )


MODELS: Mapping[str, object] = {"mlp": Mlp(), "two convolutions": TwoConvolutions()}
PLAYERS: Mapping[str, Perturbation | LevelKDefense] = {
    "level 1 attack": LevelKAttack(1),
    "level 1 defense": LevelKDefense(1),
    "level 2 attack": LevelKAttack(2),
    **{f"level {level} attack, descent": LevelKAttack(level, method="descent") for level in (2, 3, 4)},
    **{f"level {level} defense, descent": LevelKDefense(level, method="descent") for level in (2, 3, 4)},
    "influence, 10 iterations": Influence(iterations=10),
}


class Facts:
    """Grayscale images with the shape of MNIST."""

    shape, classes, mean, std = (1, 28, 28), 10, (0.13,), (0.31,)


def images(count: int, *, seed: int) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    return Batch(torch.rand(count, *Facts.shape, generator=rng), torch.randint(10, (count,), generator=rng))


def moves(
    player: Perturbation | LevelKDefense, fitted: Network, *, sizes: Sizes, validation: int
) -> Callable[[], object]:
    """Return a task that plays one round, which includes the validation gradient and the attacker's history."""
    objective, parameters = CrossEntropy(), fitted.initial(stream(0, "model"))
    held, train = images(validation, seed=1), images(sizes.train, seed=2)
    view = MinibatchView(
        round=0,
        network=fitted,
        parameters=parameters,
        objective=objective,
        batch=Batch(train.inputs[: sizes.batch], train.labels[: sizes.batch]),
        examples=torch.arange(sizes.batch),
        eta=LR / sizes.batch,
        validation=held,
        validation_gradient=lambda: summed_gradient(fitted, parameters, batch=held, objective=objective),
        rng=stream(0, "player"),
    )
    recipe = MinibatchRecipe(1, sizes.batch, "adam", LR)
    memory: Memory = {}
    if isinstance(player, Preparing):
        memory = player.prepare(Preparation(fitted, parameters, objective, train, held, recipe, stream(0, "player")))
    if isinstance(player, LevelKDefense):
        return lambda: player.purify(view, memory)
    return lambda: player.perturb(view, memory)


def plain_step(fitted: Network, *, sizes: Sizes) -> Callable[[], object]:
    """Return a task that takes one step of Adam on a minibatch."""
    parameters, batch, optimizer = fitted.initial(stream(0, "model")), images(sizes.batch, seed=2), Adam(LR)
    _, state = optimizer.step(parameters, torch.ones_like(parameters), {})
    return lambda: optimizer.step(
        parameters, summed_gradient(fitted, parameters, batch=batch, objective=CrossEntropy()), state
    )


def main(*, repeats: int = 7, sizes: Sizes = SIZES, models: Mapping[str, object] = MODELS) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    print(f"\nA minibatch of {sizes.batch} images by levels of reasoning, in plain steps of Adam, one thread")
    small, large = f"{sizes.validation} validation", f"{sizes.full} validation"
    for name, model in models.items():
        fitted = network(model, Facts(), initial="random")
        tasks = {"plain": plain_step(fitted, sizes=sizes)}
        for player, validation in ((each, count) for each in PLAYERS for count in (sizes.validation, sizes.full)):
            key = f"{player}, {validation}"
            tasks[key] = moves(PLAYERS[player], fitted, sizes=sizes, validation=validation)
        seconds = interleaved(tasks, repeats=repeats, warmup=1, clock=time.process_time)
        print(f"{name}, {1000 * seconds['plain']:.1f} ms a step".ljust(44) + f"{small:>17}{large:>17}")
        for player in PLAYERS:
            costs = (seconds[f"{player}, {count}"] / seconds["plain"] for count in (sizes.validation, sizes.full))
            print(f"  {player:42}" + "".join(f"{cost:16.1f}×" for cost in costs), flush=True)


if __name__ == "__main__":
    main()
