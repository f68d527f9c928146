import pytest
import torch

from sparring.errors import SavingError
from sparring.experiments.jobs.snapshots import drop_snapshots, latest_progress, latest_snapshot, save_snapshot
from sparring.snapshot import Snapshot


def snapshot(value):
    """Return a snapshot whose tensor shares its memory, which the file format does not take."""
    return Snapshot({"a": torch.full((2, 3), float(value)).T, "b": torch.tensor(value)}, {"value": value, "deep": [{}]})


def saved(folder, *places):
    for place in places:
        save_snapshot(folder, snapshot(place), progress=place)


def newest(folder):
    found = latest_snapshot(folder)
    assert found is not None
    assert torch.equal(found.tensors["a"], snapshot(found.numbers["value"]).tensors["a"])
    return found.numbers["value"]


def test_the_newest_snapshot_comes_back(tmp_path):
    saved(tmp_path / "new", 5, 10, 1000)
    assert newest(tmp_path / "new") == 1000
    assert latest_progress(tmp_path / "new") == 1000


def test_one_more_is_kept(tmp_path):
    saved(tmp_path, 5, 10, 15)
    assert len(list(tmp_path.iterdir())) == 2


def test_where_nothing_was_saved_there_is_nothing(tmp_path):
    assert latest_snapshot(tmp_path / "none") is None
    assert latest_progress(tmp_path / "none") == 0


@pytest.mark.parametrize("damage", [lambda content: content[:-9], lambda content: content[:-1] + b"x", lambda _: b""])
def test_a_damaged_snapshot_makes_way_for_the_one_before(tmp_path, damage):
    saved(tmp_path, 5, 10)
    last = max(tmp_path.iterdir())
    last.write_bytes(damage(last.read_bytes()))
    assert newest(tmp_path) == 5


def test_a_pickle_is_never_read(tmp_path):
    saved(tmp_path, 5)
    (tmp_path / f"{9:012d}-0000.snapshot.safetensors").write_bytes(b"\x80\x04cos\nsystem\n.")
    assert newest(tmp_path) == 5


def test_snapshots_can_be_dropped(tmp_path):
    saved(tmp_path, 5, 10)
    drop_snapshots(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SavingError, match="choose another folder"):
        saved(tmp_path / "file" / "folder", 1)
