import torch

from sparring.data import dirichlet
from sparring.random import stream
from tests.data.examples import balanced_labels

LABELS = balanced_labels(10, 200)


def counts(alpha: float, clients: int, minimum: int = 1) -> torch.Tensor:
    """Return how many examples of each class each client holds."""
    order, offsets = dirichlet(LABELS, clients, alpha=alpha, minimum=minimum, rng=stream(0, "dirichlet"))
    parts = LABELS[order].split(offsets.diff().tolist())
    return torch.stack([part.bincount(minlength=10) for part in parts])


def test_a_large_concentration_divides_each_class_evenly():
    assert (counts(alpha=1e6, clients=10) - 20).abs().max() <= 1


def test_a_vanishing_concentration_gives_each_class_to_one_client():
    largest = counts(alpha=1e-300, clients=10).max(dim=0).values
    assert (largest >= 200 - 9).all()  # but for what the nine others are topped up with


def test_a_smaller_concentration_gives_a_client_fewer_classes():
    held = [(counts(alpha, clients=10) > 0).sum().item() for alpha in (0.01, 0.3, 100.0)]
    assert held == sorted(set(held))


def test_every_client_gets_the_minimum():
    assert counts(alpha=0.01, clients=100, minimum=20).sum(dim=1).tolist() == [20] * 100


def test_classes_are_divided_in_the_proportions_drawn():
    rng = stream(0, "dirichlet")
    proportions = torch.from_numpy(rng.dirichlet([1.0] * 5, size=10)).T
    assert (counts(alpha=1.0, clients=5) - 200 * proportions).abs().max() <= 1
