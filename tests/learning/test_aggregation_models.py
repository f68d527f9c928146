"""What attackers learn of the server's rule: known rules are recovered."""

import pytest
import torch

from sparring.defenses.aggregation.mean import mean
from sparring.defenses.aggregation.median import median
from sparring.errors import ConfigError
from sparring.learning.aggregation_models import NetworkFit, ObservedSteps, fit_network, fit_polynomial
from sparring.random import stream


def means(rounds=20, coordinates=50, scale=1.0):
    """Return the honest and the malicious mean of some rounds."""
    rng = stream(0, "means")
    return (torch.from_numpy(scale * rng.standard_normal((rounds, coordinates))).float() for _ in range(2))


@pytest.mark.parametrize("scale", [1e-4, 1, 1e3])
def test_the_mean_is_recovered_exactly(scale):
    honest, malicious = means(scale=scale)
    fitted = fit_polynomial(ObservedSteps(honest, malicious, 0.8 * honest + 0.2 * malicious), degree=1)
    assert fitted.coefficients[1:].tolist() == pytest.approx([0.8, 0.2], abs=1e-6)
    assert abs(fitted.coefficients[0]) < 1e-6 * scale
    assert fitted.error < 1e-6 * scale
    assert fitted.degree == 1


@pytest.mark.parametrize("scale", [0.01, 1])
def test_a_quadratic_rule_is_recovered(scale):
    honest, malicious = means(scale=scale)
    wanted = [0.1, 0.7, -0.3, 0.5, -0.2, 0.4]
    powers = (honest, malicious, honest**2, honest * malicious, malicious**2)
    steps = wanted[0] + sum(factor * each for factor, each in zip(wanted[1:], powers, strict=True))
    fitted = fit_polynomial(ObservedSteps(honest, malicious, steps))
    assert fitted.coefficients.tolist() == pytest.approx(wanted, abs=1e-4 / scale)
    torch.testing.assert_close(fitted(honest, malicious), steps, rtol=1e-4, atol=1e-4)


def test_noise_is_what_is_not_explained():
    honest, malicious = means(rounds=100)
    noise = 0.1 * torch.from_numpy(stream(1).standard_normal(tuple(honest.shape))).float()
    fitted = fit_polynomial(ObservedSteps(honest, malicious, 0.5 * honest + noise))
    assert fitted.error == pytest.approx(0.1, rel=0.05)
    assert fitted.coefficients.tolist() == pytest.approx([0, 0.5, 0, 0, 0, 0], abs=0.01)


def test_a_network_learns_what_no_quadratic_can():
    honest, malicious = means(rounds=40)
    steps = torch.where(malicious.abs() > 1, honest, honest + 0.5 * malicious)
    seen, how = ObservedSteps(honest, malicious, steps), NetworkFit(hidden=(32, 32))
    curved, again = (fit_network(seen, rng=stream(0, "network"), how=how) for _ in range(2))
    assert curved.error < 0.6 * fit_polynomial(ObservedSteps(honest, malicious, steps)).error
    assert torch.equal(curved(honest, malicious), again(honest, malicious))


def test_the_rules_of_a_federation_are_told_apart_by_what_malicious_updates_do():
    """Of the mean a linear model knows the share of malicious clients; of the median, that they hardly count."""
    rng, shares = stream(2), []
    is_malicious = torch.arange(10) < 2
    for rule in (mean, median):
        rounds = [
            torch.from_numpy(rng.standard_normal((10, 30))).float() + 3.0 * sign * is_malicious[:, None]
            for sign in rng.choice([-1.0, 1.0], 60)
        ]
        honest, malicious = (
            torch.stack([each[part].mean(dim=0) for each in rounds]) for part in (~is_malicious, is_malicious)
        )
        seen = ObservedSteps(honest, malicious, torch.stack([rule(each) for each in rounds]))
        shares.append(float(fit_polynomial(seen, degree=1).coefficients[2]))
    assert shares[0] == pytest.approx(0.2, abs=1e-5)
    assert abs(shares[1]) < 0.7 * shares[0]


@pytest.mark.parametrize(
    ("honest", "message"),
    [
        (torch.zeros(3, 4), r"^aggregation: means and steps of shapes .*; all must be \[rounds, coordinates\]$"),
        (torch.full((2, 4), torch.nan), "^aggregation: a mean or a step is not finite; leave such rounds out$"),
    ],
)
def test_rounds_that_cannot_be_used_are_refused(honest, message):
    with pytest.raises(ConfigError, match=message):
        fit_polynomial(ObservedSteps(honest, torch.zeros(2, 4), torch.zeros(2, 4)))
