import pytest
import torch

from sparring.errors import ConfigError
from sparring.models.tensor_file import read_tensors, reject_other_files, write_tensors


def test_what_was_written_is_read_again(tmp_path):
    write_tensors(tmp_path / "file", "kind", described={"width": 3}, tensors={"weight": torch.arange(3.0)})
    described, tensors = read_tensors(tmp_path / "file", "kind")
    assert described == {"width": 3}
    assert torch.equal(tensors["weight"], torch.arange(3.0))


@pytest.mark.parametrize("written", [None, b"", b"\x80\x04.", b"another kind"])
def test_another_file_is_refused_in_one_line(tmp_path, written):
    path = tmp_path / "file"
    if written == b"another kind":
        write_tensors(path, "other", described={}, tensors={"weight": torch.zeros(1)})
    elif written is not None:
        path.write_bytes(written)
    said = "there is no such file" if written is None else "it holds no policy"
    with (
        pytest.raises(ConfigError, match=rf"^attack\.policy is '.*file'; {said}, train one$"),
        reject_other_files("attack.policy", path, holds="policy", remedy="train one"),
    ):
        read_tensors(path, "kind")


def test_what_is_wrong_inside_a_file_is_said(tmp_path):
    with (
        pytest.raises(ConfigError, match=r"^attack\.policy is '.*file': acting\.numbers is 4; it must be 1, 2 or 3$"),
        reject_other_files("attack.policy", tmp_path / "file", holds="policy", remedy="train one"),
    ):
        raise ConfigError("acting.numbers is 4; it must be 1, 2 or 3")
