"""The baselines that are played as they were released."""

from pathlib import Path

import pytest
import torch

from sparring.conformance import failures
from sparring.conformance.adversary import attacker_view
from sparring.conformance.attacks import ATTACK_CHECKS
from sparring.conformance.check import format_check_name
from sparring.experiments import parse_document
from sparring.experiments.config.plugins import load_plugins
from sparring.experiments.reproductions import PRESETS
from sparring.experiments.sweeps import plan_sweep
from studies.released import ReleasedBoosting, ReleasedPoisoning

SWEEP = Path(__file__).parents[2] / "docs/results/released-baselines.yaml"


@pytest.mark.parametrize("check", ATTACK_CHECKS, ids=format_check_name)
@pytest.mark.parametrize("attack", [ReleasedBoosting(), ReleasedPoisoning()], ids=repr)
def test_a_released_baseline_conforms(attack, check):
    assert failures(check, attack) == ()


def test_boosting_as_released_is_the_last_benign_update_times_clients_over_attackers():
    seen = attacker_view(torch.tensor([[1.0, 2.0], [3.0, -6.0]]), own=torch.zeros(2, 2))
    assert torch.equal(ReleasedBoosting().craft(seen), torch.tensor([[6.0, -12.0]] * 2))


def test_poisoning_as_released_is_next_to_nothing():
    seen = attacker_view(torch.tensor([[1.0, 2.0], [3.0, -6.0]]), own=torch.zeros(2, 2))
    torch.testing.assert_close(ReleasedPoisoning().craft(seen), torch.tensor([[-1e-5, 1e-5]] * 2))


def test_their_sweep_plays_in_the_federation_of_the_figure():
    found = plan_sweep(parse_document(SWEEP.name, SWEEP.read_text()), load_plugins(["studies.released"]))
    figure = plan_sweep(PRESETS["rla-fig3-krum"].document("laptop"))
    assert len(found.runs) == 2 * 3 * 2 * 3

    def settings(cells):
        return {
            (cell.labels["partition"], cell.labels["defense"]): (
                cell.config.data,
                cell.config.federation,
                cell.config.model,
                cell.config.defense,
                cell.config.threat,
            )
            for cell in cells
        }

    assert settings(found.cells) == settings(figure.cells)
