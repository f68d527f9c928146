import json
import os
import pickle  # noqa: TID251  (to see it refused)

import pytest
import torch

from sparring.errors import RunError
from sparring.experiments.runs.checkpoint import NOTES, TENSORS, drop_newest, latest_checkpoint, save_checkpoint
from sparring.experiments.runs.journal import Mark, _digest
from sparring.federation import FederationState
from sparring.federation.state import pack, unpack
from sparring.snapshot import Codec

RUN = "a run's digest"
CODEC = Codec(pack, unpack)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rounds.jsonl").write_bytes(b"records of many rounds\n")
    return tmp_path


def state(round):
    generator = torch.Generator().manual_seed(round)
    values = torch.randn(5, 5, generator=generator)
    memory = {"center": values[0], "past": values[:2].T, "rounds": torch.tensor(round)}
    return FederationState(round, values[1], memory, {7: values[2], 0: values[3]}, previous=values[4])


def save(folder, round):
    mark = Mark(round, _digest(folder / "rounds.jsonl", round).hexdigest())
    save_checkpoint(folder, pack(state(round)), run=RUN, records=mark)
    return mark


def latest(folder):
    return latest_checkpoint(folder, CODEC, run=RUN, records=folder / "rounds.jsonl")


def assert_is(checkpoint, expected):
    found = checkpoint.state
    assert found.round == expected.round
    assert torch.equal(found.parameters, expected.parameters)
    assert (found.previous is None) == (expected.previous is None)
    assert expected.previous is None or torch.equal(found.previous, expected.previous)
    assert found.memory.keys() == expected.memory.keys()
    assert found.momenta.keys() == expected.momenta.keys()
    for mine, theirs in ((found.memory, expected.memory), (found.momenta, expected.momenta)):
        assert all(torch.equal(mine[key], theirs[key]) and mine[key].dtype == theirs[key].dtype for key in mine)


def damage(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_state_is_found_again_bit_for_bit(folder):
    mark = save(folder, 5)
    checkpoint = latest(folder)
    assert_is(checkpoint, state(5))
    assert checkpoint.records == mark
    assert not checkpoint.is_fallback


def test_a_state_without_memory_and_momenta_is_found_again(folder):
    bare = FederationState(0, torch.zeros(3))
    save_checkpoint(folder, pack(bare), run=RUN, records=Mark(0, _digest(folder / "rounds.jsonl", 0).hexdigest()))
    assert_is(latest(folder), bare)


def test_the_newest_state_is_found_and_the_one_before_is_kept(folder):
    for round in (1, 2, 3):
        save(folder, round)
    assert latest(folder).state.round == 3
    drop_newest(folder)
    assert latest(folder).state.round == 2


def test_there_is_no_state_in_an_empty_folder_or_of_another_run(folder):
    assert latest(folder) is None
    save(folder, 1)
    assert latest_checkpoint(folder, CODEC, run="another", records=folder / "rounds.jsonl") is None


@pytest.mark.parametrize("name", [TENSORS[0], NOTES[0]])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_flipped_bit_is_found_and_the_state_before_is_used(folder, name, share):
    save(folder, 1)
    save(folder, 2)
    damage(folder / name, int(share * (folder / name).stat().st_size))
    checkpoint = latest(folder)
    assert_is(checkpoint, state(1))
    assert checkpoint.is_fallback


@pytest.mark.parametrize("name", [TENSORS[0], NOTES[0]])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_found_and_the_state_before_is_used(folder, name, share):
    save(folder, 1)
    save(folder, 2)
    os.truncate(folder / name, int(share * (folder / name).stat().st_size))
    assert_is(latest(folder), state(1))


def test_a_state_whose_records_are_damaged_is_not_used(folder):
    save(folder, 1)
    save(folder, 9)
    damage(folder / "rounds.jsonl", 5)
    assert_is(latest(folder), state(1))
    damage(folder / "rounds.jsonl", 0)
    assert latest(folder) is None


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_in_place_of_tensors_is_refused_and_not_executed(folder, protocol):
    save(folder, 1)
    save(folder, 2)
    (folder / TENSORS[0]).write_bytes(pickle.dumps(Trap(str(folder / "sprung")), protocol))
    with pytest.raises(RunError, match="checkpoint.safetensors is a pickle, which is never read; remove it"):
        latest(folder)
    assert not (folder / "sprung").exists()


def test_an_archive_as_torch_writes_it_is_refused(folder):
    save(folder, 1)
    (folder / TENSORS[0]).write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(RunError, match="is a pickle, which is never read"):
        latest(folder)


def test_a_note_that_was_signed_for_other_content_is_not_believed(folder):
    save(folder, 1)
    note = json.loads((folder / NOTES[0]).read_text())
    (folder / NOTES[0]).write_text(json.dumps({**note, "round": 3}))
    assert latest(folder) is None
    (folder / NOTES[0]).write_text(json.dumps([note]))
    assert latest(folder) is None
