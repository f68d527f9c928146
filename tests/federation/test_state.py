import torch

from sparring.federation import FederationState
from sparring.federation.state import pack, unpack

STATE = FederationState(
    round=7,
    parameters=torch.arange(4.0),
    memory={"seen": torch.eye(3)[:, 1:].T},
    momenta={5: torch.ones(4), 2: torch.zeros(4)},
    previous=torch.arange(4.0) - 1,
)


def test_a_state_comes_back_from_what_was_packed():
    again = unpack(pack(STATE))
    assert again.round == 7
    assert torch.equal(again.parameters, STATE.parameters)
    assert torch.equal(again.previous, STATE.previous)
    assert torch.equal(again.memory["seen"], STATE.memory["seen"])
    assert {client: row.tolist() for client, row in again.momenta.items()} == {5: [1.0] * 4, 2: [0.0] * 4}


def test_what_is_not_there_stays_away():
    again = unpack(pack(FederationState(0, torch.zeros(2))))
    assert (again.memory, again.momenta, again.previous) == ({}, {}, None)
