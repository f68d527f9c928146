import pytest
import torch
from torch.func import grad

from sparring.errors import ConfigError
from sparring.games.exact.spring_variants import Incline, SelfishSpring, TwoWells
from sparring.games.exact.springs import Spring

SPRING = Spring(stiffness=2, rest=0.5, coupling=0.8, curvature=1.3, weight=0.3)
PHI = torch.linspace(-4, 4, 8001, dtype=torch.float64)
TYPES = [Incline(power=4), Incline(power=-1, steepness=2, curvature=1.5), SelfishSpring(SPRING, 0.7), TwoWells(SPRING)]


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("kind", TYPES, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("theta", [0.3, 1.2, 2.0])
def test_no_answer_is_better_than_the_best(kind, theta):
    at = numbers(theta)
    best = float(kind.follower(at, kind.answer(at)))
    others = torch.func.vmap(kind.follower, (None, 0))(at, PHI[:, None])
    assert best == pytest.approx(float(others.max()), abs=1e-5)
    assert best >= float(others.max()) - 1e-12


@pytest.mark.parametrize("power", [4.0, -1.0, -0.5, 2.0])
def test_the_slope_of_an_incline_is_a_power(power):
    kind = Incline(power=power, steepness=0.7)
    slopes = [float(grad(kind.leader)(numbers(theta), kind.answer(numbers(theta)))) for theta in (0.5, 1.0, 2.0)]
    up = 1 if power < 0 else -1
    assert slopes == pytest.approx([up * 0.7 * theta ** (power - 1) for theta in (0.5, 1.0, 2.0)])


def test_how_long_it_takes_to_climb():
    assert [Incline(power=power).exponent for power in (2.0, 4.0, -1.0)] == pytest.approx([0, 2 / 3, 3 / 2])
    with pytest.raises(ConfigError, match=r"incline\.power is 1\.0"):
        Incline(power=1.0)


def test_what_a_selfish_follower_does_is_not_only_to_the_harm_of_the_leader():
    theta = numbers(0.4)
    tilts = [grad(kind.leader, argnums=1)(theta, kind.answer(theta)).item() for kind in (SPRING, SelfishSpring(SPRING))]
    assert tilts == pytest.approx([0, SPRING.curvature])


def test_both_wells_attract_a_follower():
    theta, ends = numbers(0.1), []
    for phi in (numbers(-1.0), numbers(1.0)):
        for _ in range(200):
            phi = phi + 0.2 * grad(TwoWells(SPRING).follower, argnums=1)(theta, phi)
        ends.append(phi.item())
    assert ends[0] == pytest.approx(TwoWells(SPRING).answer(theta).item())
    assert ends[1] > 0.9
