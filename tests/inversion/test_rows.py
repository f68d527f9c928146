import torch

from sparring.inversion.rows import chosen


def test_rows_that_are_true_are_new():
    old, new = torch.zeros(3, 2, 2), torch.ones(3, 2, 2)
    rows = torch.tensor([True, False, True])
    assert chosen(rows, new, old=old)[:, 0, 0].tolist() == [1, 0, 1]
    assert chosen(rows, new[:, 0, 0], old=old[:, 0, 0]).tolist() == [1, 0, 1]
    assert old.sum() == 0
