import torch

from sparring.attacks.backdoor.triggers.overlay import Box, Overlay, paint_boxes


def test_a_pixel_takes_as_much_of_the_pattern_as_the_mask_says():
    mask, pattern = torch.tensor([[[0.0, 0.25, 1.0]]]), torch.tensor([[[0.9, 0.8, 0.7]]])
    stamped = Overlay(mask, pattern).stamp(torch.full((2, 1, 1, 3), 0.4))
    torch.testing.assert_close(stamped, torch.tensor([0.4, 0.5, 0.7]).expand(2, 1, 1, 3))


def test_boxes_are_painted_in_all_channels():
    overlay = paint_boxes("it", [Box(0, 1, height=2, width=1)], shape=(2, 3, 3), color=0.5)
    assert overlay.mask.sum() == 4
    assert overlay.mask[:, :2, 1].all()
    assert overlay.pattern.unique().item() == 0.5
