import pytest
import torch

from sparring.errors import ConfigError
from sparring.validation import check_matrix, check_vector

MATRIX = torch.ones(2, 3)


def test_what_can_be_computed_with_is_not_copied():
    assert check_matrix("mine", MATRIX) is MATRIX
    assert check_vector("mine", MATRIX[0], name="root", of=MATRIX).data_ptr() == MATRIX.data_ptr()


def test_a_gradient_and_a_layout_are_left_behind():
    seen = check_matrix("mine", MATRIX.T.requires_grad_())
    assert seen.is_contiguous()
    assert not seen.requires_grad


def test_a_vector_has_the_precision_of_its_matrix():
    assert check_vector("mine", MATRIX[0].double(), name="root", of=MATRIX).dtype == torch.float32


@pytest.mark.parametrize(
    ("given", "described"),
    [
        (torch.ones(4), r"float32 of shape \[4\]; use a float32 or float64 tensor \[3\]"),
        (MATRIX, r"float32 of shape \[2, 3\]; use a float32 or float64 tensor \[parameters\]"),
        (torch.ones(3).long(), r"int64 of shape \[3\]; use"),
        ([1.0, 2.0, 3.0], "a list; use"),
    ],
    ids=["too long", "a matrix", "integers", "a list"],
)
def test_what_is_no_vector_of_the_matrix_s_width_is_refused(given, described):
    with pytest.raises(ConfigError, match=f"^mine: root is {described}"):
        check_vector("mine", given, name="root", of=MATRIX)


def test_a_sparse_matrix_is_refused():
    with pytest.raises(ConfigError, match=r"^mine: updates is sparse float32 of shape \[2, 3\]; use a float32 or"):
        check_matrix("mine", MATRIX.to_sparse())
