import pytest

from sparring.errors import ConfigError
from sparring.experiments import apply_overrides
from sparring.experiments.audit import read_request
from tests.experiments.audit.asking import TASK, WHITE_BOX, asked


def refusal(*settings, **options):
    with pytest.raises(ConfigError) as raised:
        asked(*settings, **options)
    return str(raised.value)


def test_the_attackers_have_as_many_clients_as_the_rule_reckons_with():
    assert read_request(apply_overrides({}, TASK), seeds=2, budget=60.0).malicious == round(0.2 * 8)
    assert asked("attack.malicious=3", "attack.start=2").attacked({"name": "ipm"}) == {
        "name": "ipm",
        "malicious": 3,
        "start": 2,
    }


def test_where_nothing_is_said_of_them_the_model_is_small_and_the_rounds_are_few():
    config = read_request({"federation": {"clients": 20}}, seeds=2, budget=60.0).config
    assert (config.data.member["name"], config.model["name"]) == ("digits", "logistic")
    assert (config.federation.rounds, config.federation.clients) == (40, 20)
    assert read_request({"model": {}}, seeds=2, budget=60.0).config.model["name"] == "logistic"
    given = {"model": {"name": "lenet"}, "federation": {"rounds": 7}}
    config = read_request(given, seeds=2, budget=60.0).config
    assert (config.model["name"], config.federation.rounds) == ("lenet", 7)


def test_the_run_without_attack_has_no_attackers():
    assert asked().config.attacks == ()
    assert [attacker.malicious for attacker in asked().run({"name": "none"}, 5).attacks] == [2]


def test_an_attack_that_the_configuration_names_is_played_beside_the_others():
    request = asked(WHITE_BOX, "attack.name=gaussian", "attack.std=3.0", "attack.malicious=1")
    assert request.attacks["gaussian"] == {"name": "gaussian", "std": 3.0}
    assert "eb" in request.attacks
    assert asked().own == {}


def test_nothing_is_measured_with_the_seeds_of_the_training():
    request = asked("seed=7", seeds=3)
    assert list(request.fresh) == [7, 8, 9]
    assert request.training_seed == 10


def test_whatever_is_asked_for_changes_the_digest_but_not_how_it_is_executed():
    digests = [
        asked(*settings, **options).digest
        for settings, options in (
            ((), {}),
            (("defense.name=krum",), {}),
            (("attack.malicious=3",), {}),
            (("attack.start=1",), {}),
            (("seed=1",), {}),
            ((), {"seeds": 3}),
            ((), {"budget": 60.0}),
        )
    ]
    assert len(set(digests)) == len(digests)
    assert asked("execution.threads=2").digest == asked().digest


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("attack=", "attacks=[{name: ipm, malicious: 1}]"), "attacks is given; an audit uses one attacker at a time"),
        (("attack.malicious=0",), "attack.malicious is 0; it must be from 1 to 7"),
        (("attack.malicious=8",), "attack.malicious is 8; it must be from 1 to 7"),
        (("attack.malicious=some",), "attack.malicious is 'some'; it must be a whole number"),
        (("attack.start=4",), "attack.start is 4; it must be from 0 to 3"),
        (("attack.scale=2.0",), "attack has 'scale' and no name; give only attack.malicious and attack.start"),
        (("threat.knowledge=black_box",), "threat.knowledge is black_box; the learned attacker is trained against the"),
        (("attack.name=ipmm",), "unknown attack 'ipmm'; did you mean 'ipm'?"),
        (("attack.name=ipm", "attack.scale=much"), "attack.scale is 'much'; it must be a number"),
        (("defense.name=krumm",), "unknown defense 'krumm'; did you mean 'krum'?"),
    ],
)
def test_what_cannot_be_audited_is_refused(settings, message):
    assert refusal(*settings).startswith(message)


@pytest.mark.parametrize("seeds", [-1, 1, 1001])
def test_a_number_of_seeds_without_an_interval_is_refused(seeds):
    assert refusal(seeds=seeds) == f"seeds is {seeds}; it must be from 2, for an interval, to 1000"
