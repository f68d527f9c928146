import pytest

from sparring.errors import ConfigError
from sparring.experiments.hardening.request import read_hardening
from tests.experiments.hardening.asking import TASK, request


def refusal(**given):
    with pytest.raises(ConfigError) as raised:
        read_hardening({**TASK, **given}, effort=100)
    return str(raised.value)


def test_equal_requests_have_equal_digests():
    assert request().digest == request().digest
    assert request().digest != request(rounds=3).digest
    assert request().digest != request(types={"none": {}}).digest


def test_the_default_domain_is_harden():
    asked = read_hardening(TASK, effort=60.0)
    assert list(asked.types) == ["none", "ipm", "lmp", "bfl", "ipm+bfl", "local_search"]
    assert asked.domain_name == "the domain harden"
    assert request().domain_name == "a domain of your own"


def test_what_a_hardening_decides_is_not_given():
    assert refusal(defense="krum") == "defense is given; leave it out, the defense is what it learns"
    assert refusal(attack="lmp") == "attack is given; leave it out, choose attackers by --domain"


def test_root_data_are_needed():
    assert "data.root_size is 0; a defense is learned on the server's root data" in refusal(data={"root_size": 0})


def test_a_wrong_setting_is_named():
    assert "harden has no key 'round'; did you mean 'rounds'?" in refusal(harden={"round": 3})
    assert "harden.actions" in refusal(harden={"actions": "all"})


def test_fewer_clients_are_simulated_if_asked_for():
    asked = request(clients=2)
    assert asked.types["none"].config.federation.clients == 2
    assert asked.types["none"].config.federation.sampled == 2
    assert asked.config.federation.clients == 6


def test_an_episode_is_no_longer_than_a_run():
    assert request(rounds=500).rounds == 200


def test_frozen_answers_are_not_in_a_document_which_keeps_the_digests_of_earlier_hardenings():
    types = {"rl": {"follower": {"acting": "local_search", "share": 0.4, "against": {"defense": "median"}}}}
    assert "answers" not in request(types=types).document["harden"]
    assert request(types=types, answers="frozen").digest == request(types=types).digest
    assert request(types=types, answers="adapted").document["harden"]["answers"] == "adapted"


def test_answers_need_an_attacker_that_learns():
    with pytest.raises(ConfigError, match=r"^harden\.answers is 'adapted'; no attacker of a domain of your own learns"):
        request(answers="adapted")
