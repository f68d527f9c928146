"""The malicious clients' local training, with their own recipe and possibly poisoned data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import ceil

import torch

from sparring.arrays import Batch, Matrix, Vector, pixels
from sparring.contracts import InformedPoison, MinibatchView, Poison, Recipe
from sparring.errors import attribute_errors
from sparring.federation.benign_updates import draw_batches
from sparring.federation.scenario import Federation
from sparring.federation.state import FederationState
from sparring.federation.threat import Attacker
from sparring.player_checks import check_batch, check_rows, guard_player
from sparring.random import Generator, stream
from sparring.training import local_update
from sparring.training.gradients import summed_gradient
from sparring.training.objectives import CrossEntropy

Project = Callable[[Vector], Vector]


@dataclass(frozen=True, eq=False)
class OwnTraining:
    """Local training of an attacker's sampled clients in one round; the result without a projection is cached."""

    federation: Federation
    state: FederationState
    attacker: Attacker
    clients: tuple[int, ...]

    def __call__(self, project: Project | None = None) -> Matrix:
        return self._plain if project is None else self._updates(self._check(project))

    @property
    def recipe(self) -> Recipe:
        """The clients' recipe; if they train by epochs, with the number of steps of the largest shard."""
        return max(map(self._recipe, self.clients), key=lambda recipe: recipe.steps)

    @cached_property
    def _plain(self) -> Matrix:
        return self._updates(None)

    def _updates(self, project: Project | None) -> Matrix:
        out = self.state.parameters.new_empty(len(self.clients), self.federation.network.size)
        # With epochs, shards of different sizes take different numbers of steps.
        together = len(self.clients) if self.attacker.epochs is None else 1
        for first in range(0, len(self.clients), together):
            rows = slice(first, first + together)
            self._train(self.clients[rows], project=project, out=out[rows])
        return out

    def _recipe(self, client: int) -> Recipe:
        recipe = self.federation.recipe if self.attacker.recipe is None else self.attacker.recipe
        if self.attacker.epochs is None:
            return recipe
        examples = self.attacker.epochs * self.federation.shards.held(client)
        # Rounded to nine digits first: 0.1 · 30 is slightly above 3 in floating point.
        return recipe._replace(steps=ceil(round(examples / recipe.batch, 9)))

    def _train(self, clients: Sequence[int], *, project: Project | None, out: Matrix) -> None:
        recipe, poison = self._recipe(clients[0]), self.attacker.poison
        batches = draw_batches(self.federation, clients, round=self.state.round, recipe=recipe)
        if poison is None:
            self._descend(batches, lr=recipe.lr, project=project, out=out)
            return
        with guard_player("poison", poison) as watch:
            for name, tensor in batches._asdict().items():
                watch.show(name, tensor)
            # Training on labels that the model does not have raises an error, which is attributed to the poison.
            poisoned = self._poison(batches, poison, clients=clients, lr=recipe.lr)
            self._descend(poisoned, lr=recipe.lr, project=project, out=out)

    def _poison(self, batches: Batch, poison: Poison, *, clients: Sequence[int], lr: float) -> Batch:
        poisoned = []
        for client, inputs, labels in zip(clients, *batches, strict=True):
            own, rng = Batch(inputs, labels), stream(self.federation.seed, "poison", client, self.state.round)
            if isinstance(poison, InformedPoison):
                poisoned.append(self._poison_informed(own, poison, client=client, lr=lr, rng=rng))
            else:
                poisoned.append(_poison_blindly(own, poison, client=client, rng=rng))
        return _stack(poisoned)

    def _poison_informed(
        self, batches: Batch, poison: InformedPoison, *, client: int, lr: float, rng: Generator
    ) -> Batch:
        """Return a client's minibatches as a poison changes them that knows the global model, one by one."""
        network, parameters, objective = self.federation.network, self.state.parameters, CrossEntropy()
        shard = self.federation.shards[client]
        held = Batch(pixels(shard.inputs), shard.labels)
        gradient = cache(lambda: summed_gradient(network, parameters, batch=held, objective=objective))
        poisoned = []
        for inputs, labels in zip(*batches, strict=True):
            view = MinibatchView(
                round=self.state.round,
                network=network,
                parameters=parameters,
                objective=objective,
                batch=Batch(inputs, labels),
                examples=None,
                eta=lr / len(labels),
                validation=held,
                validation_gradient=gradient,
                rng=rng,
            )
            poisoned.append(check_batch(poison, poison.poison_informed(view), batch=view.batch))
        return _stack(poisoned)

    def _descend(self, batches: Batch, *, lr: float, project: Project | None, out: Matrix) -> None:
        network, parameters = self.federation.network, self.state.parameters
        if project is None:
            self.federation.backend.updates(network, parameters, batches=batches, lr=lr, out=out)
            return
        for row, inputs, labels in zip(out, *batches, strict=True):
            local_update(network, parameters, batches=Batch(inputs, labels), lr=lr, out=row, project=project)

    def _check(self, project: Project) -> Project:
        """Wrap the attack's projection, so that its errors are attributed to the attack."""
        attack = self.attacker.attack
        assert attack is not None

        def checked(update: Vector) -> Vector:
            with attribute_errors(f"attack {type(attack).__name__}"):
                projected = project(update)
            return check_rows(attack, projected, shape=update.shape)

        return checked


def _poison_blindly(batches: Batch, poison: Poison, *, client: int, rng: Generator) -> Batch:
    """Return a client's minibatches, `[steps, examples, ...]`, as a poison changes all of them together."""
    steps, batch = batches.labels.shape, Batch(batches.inputs.flatten(0, 1), batches.labels.flatten())
    poisoned = check_batch(poison, poison.poison(batch, client=client, rng=rng), batch=batch)
    return Batch(*(part.unflatten(0, steps) for part in poisoned))


def _stack(batches: Sequence[Batch]) -> Batch:
    return Batch(*(torch.stack(parts) for parts in zip(*batches, strict=True)))
