"""Seconds of gradient inversion: all images and all searches in one graph, against one image after the other."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy

from benchmarks.timing import interleaved
from sparring.arrays import Batch, Matrix
from sparring.contracts import Model
from sparring.inversion import GradientInversion, invert_each
from sparring.inversion.gradient_inversion import total_variation
from sparring.models import LeNet, network
from sparring.random import stream
from sparring.training import gradient

ITERATIONS = 4
"""The number of timed iterations; the time of a whole search is extrapolated linearly."""


class Gradients(NamedTuple):
    """The number of inverted gradients, and the images per gradient."""

    count: int
    images: int


WORKLOADS = {
    "20 gradients of 1 image": Gradients(20, 1),
    "1 gradient of 32 images": Gradients(1, 32),
    "4 gradients of 32 images": Gradients(4, 32),
}


class Facts:
    """Grayscale images with the shape of MNIST."""

    shape, classes, mean, std = (1, 28, 28), 10, (0.13,), (0.31,)


def textbook(model: Model, gradients: Matrix, *, images: int, iterations: int, generator: torch.Generator) -> None:
    """Invert one gradient after the other, and sum the gradients of its images one by one."""
    search = GradientInversion()
    for target in gradients:
        inputs = torch.rand(images, *Facts.shape, generator=generator).requires_grad_()
        scores = torch.zeros(images, Facts.classes).requires_grad_()
        optimizer = torch.optim.Adam([{"params": [inputs], "lr": search.lr}, {"params": [scores], "lr": 0.1}])
        for _ in range(iterations):
            alone = [own_gradient(model, image, score) for image, score in zip(inputs, scores, strict=True)]
            distance = 1 - cosine_similarity(sum(alone), target, dim=0)
            optimizer.zero_grad()
            (distance + search.variation * total_variation(inputs)).backward()
            inputs.grad.sign_()
            optimizer.step()
            inputs.data.clamp_(0, 1)


def own_gradient(model: Model, image: Tensor, score: Tensor) -> Tensor:
    """Return the gradient of one image and soft label, with its graph."""
    leaves: Sequence[Tensor] = [piece.detach().requires_grad_() for piece in model.network.split(model.parameters)]
    loss = cross_entropy(model.network.forward(leaves, image[None]), score.softmax(dim=0)[None])
    return torch.cat([piece.flatten() for piece in torch.autograd.grad(loss, leaves, create_graph=True)])


def compare(workload: Gradients, model: Model, *, repeats: int, iterations: int) -> str:
    """Return the row of a workload."""
    count, images = workload
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(count, images, *Facts.shape, generator=generator)
    labels = torch.randint(Facts.classes, (count, images), generator=generator)
    batches = map(Batch, inputs, labels)
    gradients = torch.stack([gradient(model.network, model.parameters, batch=batch) for batch in batches])
    search = GradientInversion(images=images, iterations=iterations)
    tasks = {
        "ours": lambda: invert_each(model, gradients, shape=Facts.shape, rng=stream(0, "bench"), search=search),
        "plain": lambda: textbook(model, gradients, images=images, iterations=iterations, generator=generator),
    }
    seconds = interleaved(tasks, repeats=repeats, warmup=1)
    longer = GradientInversion().iterations / iterations / count
    ours, plain = (longer * seconds[task] for task in ("ours", "plain"))
    return f"{ours:10.2f}{plain:10.2f}{plain / ours:9.1f}×"


def main(*, repeats: int = 5, iterations: int = ITERATIONS, workloads: Mapping[str, Gradients] = WORKLOADS) -> None:
    torch.set_num_threads(1)
    built = network(LeNet(), Facts())
    model = Model(built, built.initial(stream(0, "model")))
    searched = GradientInversion().iterations
    print(
        f"\nSeconds per inverted gradient of lenet, {searched} iterations, one thread (extrapolated from {iterations})"
    )
    print(f"{'':28}{'ours':>10}{'plain':>10}{'ratio':>10}")
    for name, workload in workloads.items():
        print(f"{name:28}{compare(workload, model, repeats=repeats, iterations=iterations)}", flush=True)


if __name__ == "__main__":
    main()
