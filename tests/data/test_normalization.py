import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.data.normalization import moments


def test_bytes_are_measured_on_the_scale_of_pixels():
    images = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)
    assert moments(images) == ((0.5,), (0.5,))


def test_each_channel_of_images_has_its_own():
    images = torch.tensor([[0.0, 0.2], [1.0, 0.4]]).view(2, 2, 1, 1)
    torch.testing.assert_close(torch.tensor(moments(images)), torch.tensor([[0.5, 0.3], [0.5, 0.1]]))


def test_vectors_have_one_altogether():
    assert moments(torch.tensor([[1.0, 3.0], [1.0, 3.0]])) == ((2.0,), (1.0,))


@given(st.lists(st.integers(0, 255), min_size=1, max_size=50))
def test_bytes_and_floats_agree(values):
    images = torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1)
    exact, rounded = moments(images), moments(images.float() / 255)
    torch.testing.assert_close(torch.tensor(exact), torch.tensor(rounded), atol=1e-4, rtol=1e-4)


def test_what_never_varies_is_not_divided_by_nothing():
    constants = [torch.full((7, 1, 3, 3), 9, dtype=torch.uint8), torch.full((7, 1, 3, 3), 0.1), torch.zeros(7, 4)]
    assert [moments(inputs).std for inputs in constants] == [(1.0,)] * 3
