import pytest
import torch

from sparring.attacks import Blended
from sparring.errors import ConfigError
from tests.attacks.backdoor.triggers.pictures import images


def test_an_image_is_mixed_with_the_pattern():
    pictures, pattern = images(2), Blended(alpha=1.0).stamp(images(1))
    torch.testing.assert_close(Blended(alpha=0.2).stamp(pictures), 0.8 * pictures + 0.2 * pattern)


def test_every_image_gets_the_same_pattern():
    stamped = Blended(alpha=1.0).stamp(images(2))
    assert torch.equal(stamped[0], stamped[1])


def test_the_seed_names_the_pattern():
    black = torch.zeros(1, 1, 28, 28)
    assert torch.equal(Blended(seed=3).stamp(black), Blended(seed=3).stamp(black))
    assert not torch.equal(Blended(seed=3).stamp(black), Blended(seed=4).stamp(black))


@pytest.mark.parametrize("alpha", [0.0, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(alpha):
    with pytest.raises(ConfigError, match=rf"^blended\.alpha is {alpha}; it must be above 0 and at most 1$"):
        Blended(alpha)
