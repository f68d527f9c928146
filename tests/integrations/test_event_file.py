import socket

from sparring.federation import RoundRecord
from sparring.integrations import integration
from tests.integrations.board import shown
from tests.integrations.extras import needs

pytestmark = needs("tensorboard")

START = RoundRecord(round=0, loss=1.5, accuracy=0.25, class_accuracy=(0.5, None))
PLAYED = RoundRecord(
    round=1,
    sampled=(4, 2, 0, 7),
    malicious=(2, 7),
    dropped=(2,),
    clipped=(),
    norms=(1.0, None, 4.0, 2.0),
    step_norm=0.5,
)
PLANNED = RoundRecord(
    round=2,
    planned={
        "rule": {"name": "ClippedTrimmedMean", "max_norm": 2.5, "trim": 0.25},
        "repair": {"name": "NeuroClip", "bound": 3, "layers": None, "is_last": True},
    },
)


def written(folder, *records):
    events = integration("tensorboard")(folder)
    for record in records:
        events.write(record)
    events.close()
    return next(folder.iterdir())


def test_tensorboard_reads_what_a_record_says(tmp_path):
    written(tmp_path, START, PLAYED)
    assert shown(tmp_path) == {
        "accuracy": {0: 0.25},
        "loss": {0: 1.5},
        "class_accuracy/0": {0: 0.5},
        "clients/malicious": {1: 2},
        "clients/dropped": {1: 1},
        "clients/clipped": {1: 0},
        "norms/step": {1: 0.5},
        "norms/smallest": {1: 1},
        "norms/median": {1: 2},
        "norms/largest": {1: 4},
    }


def test_it_reads_the_numbers_that_the_server_planned(tmp_path):
    written(tmp_path, START, PLANNED, RoundRecord(round=3, planned={"rule": {"name": "Mean"}, "repair": None}))
    planned = {tag: values for tag, values in shown(tmp_path).items() if tag.startswith("planned/")}
    assert planned == {
        "planned/rule/max_norm": {2: 2.5},
        "planned/rule/trim": {2: 0.25},
        "planned/repair/bound": {2: 3},
    }


def test_a_round_can_be_seen_before_the_file_is_closed(tmp_path):
    events = integration("tensorboard")(tmp_path)
    events.write(START)
    assert shown(tmp_path)["accuracy"] == {0: 0.25}
    events.close()


def test_equal_records_make_equal_files_whatever_was_there_before(tmp_path):
    first = written(tmp_path / "one", START, PLAYED)
    before = written(tmp_path / "other", PLAYED, PLAYED, PLAYED, PLAYED)
    assert written(tmp_path / "other", START, PLAYED) == before
    assert before.read_bytes() == first.read_bytes()


def test_the_file_names_no_machine(tmp_path):
    path = written(tmp_path, START)
    assert socket.gethostname() not in path.name
    assert socket.gethostname().encode() not in path.read_bytes()
