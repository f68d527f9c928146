import torch

from sparring.attacks import Unmarked
from tests.attacks.backdoor.triggers.pictures import images


def test_images_stay_as_they_are():
    pictures = images(2)
    stamped = Unmarked().stamp(pictures)
    assert torch.equal(stamped, pictures)
    assert stamped is not pictures
