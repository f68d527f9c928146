from contextlib import closing
from math import inf

import pytest

from sparring.errors import RunError
from sparring.experiments.runs.journal import Journal, holds, read_records
from sparring.federation import RoundRecord
from tests.experiments.jobs.test_atomic_files import small_files

RECORDS = [
    RoundRecord(round=0, loss=2.3, accuracy=0.1, class_accuracy=(0.5, None)),
    RoundRecord(round=1, sampled=(3, 1), malicious=(1,), dropped=(1,), norms=(0.25, None), step_norm=0.25),
    RoundRecord(round=2, sampled=(0, 2), clipped=(), selected=(2,), norms=(0.5, 1.0), step_norm=1.0),
    RoundRecord(round=3, planned={"rule": {"name": "ClippedTrimmedMean", "trim": 0.25}, "repair": None}),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rounds.jsonl"


def write(path, records, size=0):
    with closing(Journal(path, size)) as journal:
        for record in records:
            journal.append(record)
        return journal.mark()


def test_records_are_read_back(path):
    write(path, RECORDS)
    assert list(read_records(path, RoundRecord)) == RECORDS


def test_a_record_is_a_compact_line_without_what_it_has_no_value_for(path):
    write(path, RECORDS[1:2])
    assert path.read_text() == (
        '{"round":1,"sampled":[3,1],"malicious":[1],"dropped":[1],"norms":[0.25,null],"step_norm":0.25}\n'
    )


def test_a_value_that_json_does_not_know_is_never_written(path):
    with pytest.raises(ValueError, match="Out of range"):
        write(path, [RoundRecord(round=1, loss=inf)])


def test_records_go_on_behind_a_mark_and_what_lies_there_is_cut_off(path):
    mark = write(path, RECORDS[:2])
    whole = write(path, RECORDS[2:], mark.size)
    straight = path.read_bytes()
    with path.open("ab") as file:
        file.write(b'{"round":3,"samp')
    assert list(read_records(path, RoundRecord)) == RECORDS
    assert write(path, RECORDS[2:], mark.size) == whole
    assert path.read_bytes() == straight


def test_a_mark_is_kept_until_what_it_was_taken_of_changes(path):
    mark = write(path, RECORDS)
    assert holds(path, mark)
    with path.open("ab") as file:
        file.write(b"more")
    assert holds(path, mark)
    content = bytearray(path.read_bytes())
    content[7] ^= 1
    path.write_bytes(content)
    assert not holds(path, mark)
    path.write_bytes(content[:20])
    assert not holds(path, mark)
    path.unlink()
    assert not holds(path, mark)


def test_records_on_a_full_disk_are_told_of_and_can_be_closed(path):
    with small_files(150), pytest.raises(RunError, match="rounds.jsonl: file too large; make room"):
        write(path, RECORDS)
    assert path.stat().st_size == 150
    assert list(read_records(path, RoundRecord)) == RECORDS[:1]
