import pytest
import torch

from sparring.attacks import Bars, DistributedBackdoor, Square
from sparring.errors import ConfigError
from sparring.random import stream
from tests.attacks.backdoor.triggers.pictures import batch

EXAMPLES = batch([0, 1, 3])
ALL_OF_IT = DistributedBackdoor(ratio=1.0)


def poisoned(client):
    return ALL_OF_IT.poison(EXAMPLES, client=client, rng=stream(0, "poison"))


@pytest.mark.parametrize(("client", "part"), [(0, 0), (3, 3), (4, 0), (18, 2)])
def test_a_client_has_the_part_of_its_id_modulo_four(client, part):
    inputs, labels = poisoned(client)
    assert torch.equal(inputs, Bars(part=part).stamp(EXAMPLES.inputs))
    assert labels.tolist() == [2, 2, 2]


def test_four_clients_together_have_the_whole_trigger():
    stamped = EXAMPLES.inputs
    for part in Bars().parts:
        stamped = part.stamp(stamped)
    assert torch.equal(stamped, ALL_OF_IT.triggered(EXAMPLES).inputs)


def test_a_random_part_is_drawn_again_in_each_round():
    attack = DistributedBackdoor(ratio=1.0, parts="random")
    stamped = [part.stamp(EXAMPLES.inputs) for part in Bars().parts]
    drawn = []
    for round in range(40):
        inputs, labels = attack.poison(EXAMPLES, client=0, rng=stream(0, "poison", 0, round))
        assert labels.tolist() == [2, 2, 2]
        drawn += [place for place, each in enumerate(stamped) if torch.equal(inputs, each)]
    assert len(drawn) == 40
    assert {drawn.count(place) for place in range(4)} <= set(range(4, 17))
    assert drawn[0] == int(stream(0, "poison", 0, 0).integers(4))


def test_parts_are_given_by_id_or_at_random():
    with pytest.raises(ConfigError, match=r"^dba\.parts is 'all'; it must be by_id or random$"):
        DistributedBackdoor(parts="all")


def test_a_trigger_without_parts_is_refused():
    with pytest.raises(
        ConfigError, match=r"^dba\.trigger is Square, which has no parts; use one that has, such as bars$"
    ):
        DistributedBackdoor(trigger=Square())
