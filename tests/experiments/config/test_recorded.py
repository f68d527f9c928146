import json

import pytest

from sparring.errors import ConfigError
from sparring.experiments import to_document
from sparring.experiments.config.recorded import read_recorded
from tests.experiments.small import small


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("defense={name: clipped, inner: {name: median}}", "attack.start=2", "execution.threads=2"),
        ("attack={name: bfl, malicious: 2, target: 1, lr: 0.5, local_epochs: 2.0}", "data.partition.q=0.7"),
        ("attack={name: ipm, malicious: 2, lr: 0.5, local_steps: 3}", "data.validation=0.2", "seed=7"),
        ("attack={name: local_search, malicious: 2}", "post_training={name: neuroclip, bound: 7}"),
    ],
)
def test_what_a_run_records_is_read_as_the_settings_that_it_had(settings):
    config = small(*settings)
    document = json.loads(json.dumps(to_document(config)))
    assert to_document(read_recorded(document)) == document
    assert read_recorded(document) == config


def test_players_that_nobody_knows_are_taken_as_they_are_written():
    document = to_document(small())
    document["defense"] = {"name": "midrange", "inner": {"name": "trusting", "longest": 0.5}}
    document["attacks"] = [{"name": "shrinking", "share": 0.5, "malicious": 2, "start": 0}]
    made = read_recorded(document)
    assert made.defense == document["defense"]
    (attacker,) = made.attacks
    assert (attacker.member, attacker.malicious) == ({"name": "shrinking", "share": 0.5}, 2)
    assert to_document(made) == document


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attacks": 3}, "attacks is 3; it must be a list of sections, each with a name"),
        ({"attacks": [3]}, r"attacks\.0 is 3; it must be a section with a name"),
        ({"defense": {}}, "defense has no name"),
        ({"data": 3}, "data is 3; it must be a section"),
        ({"federation": {"clients": "many"}}, r"federation\.clients is 'many'"),
    ],
)
def test_a_record_that_was_changed_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        read_recorded(to_document(small()) | change)
