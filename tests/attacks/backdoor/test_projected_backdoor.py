from dataclasses import replace

import pytest
import torch

from sparring.arrays import row_norms
from sparring.attacks import ProjectedBackdoor
from sparring.attacks.backdoor.projected_backdoor import on_ball
from sparring.conformance.adversary import OWN, attacker_view
from sparring.errors import ConfigError


def test_what_is_outside_the_ball_goes_to_the_nearest_point_on_it():
    torch.testing.assert_close(on_ball(torch.tensor([3.0, 4.0]), 2.0), torch.tensor([1.2, 1.6]))


def test_what_is_inside_stays():
    inside = torch.tensor([0.3, 0.4])
    assert torch.equal(on_ball(inside, 0.5), inside)


def test_huge_updates_are_projected_right():
    torch.testing.assert_close(on_ball(torch.tensor([3e38, -3e38]), 2**0.5), torch.tensor([1.0, -1.0]))


def test_every_step_of_the_clients_training_is_projected():
    asked = []

    def own(project=None):
        asked.append(project)
        return torch.stack([project(row) for row in OWN])

    sent = ProjectedBackdoor(radius=0.1).craft(replace(attacker_view(), own=own))
    assert len(asked) == 1
    torch.testing.assert_close(row_norms(sent), torch.full((3,), 0.1, dtype=torch.float64))


@pytest.mark.parametrize("radius", [0.0, -1.0, float("inf"), float("nan")])
def test_a_radius_out_of_range_is_refused(radius):
    with pytest.raises(ConfigError, match=rf"^pgd\.radius is {radius}; it must be positive and finite$"):
        ProjectedBackdoor(radius=radius)
