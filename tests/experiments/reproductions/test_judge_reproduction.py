from dataclasses import replace

import pytest

from sparring.experiments.reproductions import PRESETS
from sparring.experiments.reproductions.comparison import judge_reproduction
from tests.experiments.report.studies import study

NAME = next(iter(PRESETS))
MADE = study({"attack": ["none"], "defense": ["mean"]}, {})


def test_the_claims_of_a_preset_are_judged():
    found = judge_reproduction(replace(MADE, preset={"id": NAME, "scale": "laptop"}))
    assert (found.title, found.source) == (PRESETS[NAME].title, PRESETS[NAME].source)
    assert [judgment.claim for judgment in found.judgments] == list(PRESETS[NAME].claims("laptop"))
    assert {judgment.verdict for judgment in found.judgments} == {"not judged"}


@pytest.mark.parametrize("preset", [None, {"id": "lost", "scale": "laptop"}, {"id": NAME, "scale": "huge"}])
def test_what_is_no_preset_has_no_claims(preset):
    assert judge_reproduction(replace(MADE, preset=preset)) is None
