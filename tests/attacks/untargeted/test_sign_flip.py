import pytest
import torch

from sparring.attacks import SignFlip
from sparring.conformance.adversary import attacker_view
from sparring.errors import ConfigError


def test_each_client_reverses_its_own_update():
    seen = attacker_view(own=torch.tensor([[1.0, -2.0], [0.5, 0.0]]))
    torch.testing.assert_close(SignFlip(scale=3.0).craft(seen), torch.tensor([[-3.0, 6.0], [-1.5, 0.0]]))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_must_be_positive(scale):
    with pytest.raises(ConfigError, match=f"^sign_flip.scale is {scale}; it must be positive and finite$"):
        SignFlip(scale=scale)
