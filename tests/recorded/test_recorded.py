"""What was played before the package had its present layout comes out the same, to the byte."""

import json
import re

import pytest

from tests.recorded.play import MACHINES, RUNS, SWEEP, digest, machine, played, recorded

NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
NEEDS_DATA = {"federated", "learned"}
CASES = [pytest.param(name, marks=[pytest.mark.data] if name in NEEDS_DATA else []) for name in (*RUNS, SWEEP)]


@pytest.mark.parametrize("name", CASES)
def test_a_recorded_run_has_the_same_bytes(name, tmp_path):
    now, before = played(name, tmp_path / "out"), recorded(name)
    assert now.keys() == before.keys()
    known = json.loads(MACHINES.read_text()).get(machine())
    if known is not None:
        assert digest(now) == known[name]
    for place, text in before.items():
        if not place.endswith(".safetensors"):
            # Another processor rounds differently: the words are equal, and the numbers nearly.
            assert NUMBER.sub("#", now[place]) == NUMBER.sub("#", text)
            numbers, expected = (list(map(float, NUMBER.findall(each))) for each in (now[place], text))
            assert numbers == pytest.approx(expected, rel=0.05, abs=0.05)
