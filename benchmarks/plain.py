"""A straightforward implementation of federated averaging: the baseline of the backends."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.workloads import Workload
from sparring.federation import Scenario
from sparring.models.convolution import Convolution


def obvious(chain: nn.Module) -> nn.Sequential:
    """Return the chain with torch's convolutions instead of ours."""
    return nn.Sequential(
        *(_torch_layer(layer) if isinstance(layer, Convolution) else layer for layer in chain.children())
    )


def _torch_layer(layer: Convolution) -> nn.Conv2d:
    width, channels, kernel, _ = layer.weight.shape
    return nn.Conv2d(channels, width, kernel, layer.stride, layer.padding)


class PlainLoop:
    """One module; for each client one batch, `backward()` and the flattened gradient; then the mean of gradients."""

    def __init__(self, workload: Workload, scenario: Scenario) -> None:
        self.model = obvious(workload.model.module(workload.shape, 10))
        self.federation = scenario.federation
        self.rng = torch.Generator().manual_seed(0)

    def play_round(self) -> None:
        train, recipe = self.federation.test, self.federation.recipe
        held = len(train.labels) // self.federation.clients
        gradients = []
        for client in torch.randperm(self.federation.clients, generator=self.rng)[: self.federation.sampled].tolist():
            chosen = client * held + torch.randperm(held, generator=self.rng)[: recipe.batch]
            inputs = (train.inputs[chosen] / 255 - 0.5) / 0.3
            self.model.zero_grad()
            cross_entropy(self.model(inputs), train.labels[chosen]).backward()
            gradients.append(torch.cat([parameter.grad.flatten() for parameter in self.model.parameters()]))
        step = recipe.lr * torch.stack(gradients).mean(dim=0)
        with torch.no_grad():
            vector = nn.utils.parameters_to_vector(self.model.parameters())
            nn.utils.vector_to_parameters(vector - step, self.model.parameters())
