"""Time of one minibatch of central training: a plain step, and the strategies of levels 0 to 4 beside it."""

from collections.abc import Callable, Iterator, Mapping
from time import process_time

import torch

from benchmarks.timing import interleaved
from sparring.arrays import Batch
from sparring.attacks import Influence, LevelK, NoPerturbation, OptimalContraction
from sparring.contracts import MinibatchRecipe, Perturbation, Purification, unnoted
from sparring.data.datasets.digits import Digits
from sparring.defenses import LevelK as LevelKDefense
from sparring.defenses import Unchanged
from sparring.games.recursive import CentralTraining, initial_central_state, play_minibatch
from sparring.games.recursive.central import minibatch_rows, view_minibatch
from sparring.models import Mlp, network

BATCH = 500
VALIDATION = (500, 5000)
"""The validation examples whose gradient a round takes: part of them, and all as published for MNIST."""

ATTACKS: Mapping[str, Perturbation] = {
    "level 1 attack": LevelK(level=1),
    "level 2 attack, closed form": LevelK(level=2),
    **{f"level {level} attack, descent": LevelK(level=level, method="descent") for level in (2, 3, 4)},
    "optimal contraction": OptimalContraction(),
    "influence function": Influence(),
}
DEFENSES: Mapping[str, Purification] = {
    "level 1 defense": LevelKDefense(level=1),
    **{f"level {level} defense, descent": LevelKDefense(level=level, method="descent") for level in (2, 3, 4)},
}


def training(*, size: int, batch: int, validation: int) -> CentralTraining:
    """Return a perceptron on images of this size, of which it has as many as are asked for by repeating them."""
    dataset = Digits(size=size).load()

    def take(count: int) -> Batch:
        rows = torch.arange(count) % len(dataset.train.labels)
        return Batch(dataset.train.inputs[rows], dataset.train.labels[rows])

    return CentralTraining(
        network=network(Mlp(hidden=100), dataset),
        train=take(batch),
        validation=take(validation),
        test=dataset.test,
        recipe=MinibatchRecipe(epochs=1, batch=batch),
        attack=NoPerturbation(),
        defense=Unchanged(),
    )


def strategies(made: CentralTraining) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield a plain step, and what each player computes for a minibatch, with the validation gradient."""
    state = initial_central_state(made)
    yield "plain step", lambda: play_minibatch(made, state)
    rows = minibatch_rows(made, 0)
    histories = {"history": torch.zeros(made.train.inputs.shape, dtype=torch.float16)}
    for name, attack in ATTACKS.items():
        yield name, lambda attack=attack: attack.perturb(view_minibatch(made, state, rows, note=unnoted), histories)
    for name, defense in DEFENSES.items():
        yield name, lambda defense=defense: defense.purify(view_minibatch(made, state, rows, note=unnoted), {})


def main(
    *, repeats: int = 9, threads: int = 1, size: int = 28, batch: int = BATCH, counts: tuple[int, ...] = VALIDATION
) -> None:
    torch.set_num_threads(threads)
    for count in counts:
        tasks = dict(strategies(training(size=size, batch=batch, validation=count)))
        seconds = interleaved(tasks, repeats=repeats, clock=process_time)
        print(f"\nMilliseconds of a minibatch of {batch} with {count} validation examples, and in plain steps.")
        for name, taken in seconds.items():
            print(f"{name:30}{1e3 * taken:10.1f}{taken / seconds['plain step']:9.1f}×", flush=True)


if __name__ == "__main__":
    main()
