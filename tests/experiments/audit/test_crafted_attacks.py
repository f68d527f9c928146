import pytest

from sparring.experiments import CATALOGUES, load_plugins
from sparring.experiments.audit.request import crafted_attacks
from tests.experiments.plugging import write_plugin

BLIND = {"eb", "gaussian", "label_flip", "level_k_client", "local_search", "sign_flip"}


@pytest.mark.parametrize("knowledge", ["black_box", "white_box"])
def test_attacks_that_need_more_than_is_granted_are_not_played(knowledge):
    assert crafted_attacks(CATALOGUES, knowledge).keys() == BLIND


def test_all_untargeted_attacks_are_played_where_everything_is_seen():
    found = crafted_attacks(CATALOGUES, "omniscient")
    assert found.keys() == BLIND | {
        *("adaptive_lmp", "alie", "ipm", "lmp", "mimic", "min_max", "min_sum", "worst_of"),
    }
    assert all(section == {"name": name} for name, section in found.items())


def test_attacks_of_a_plug_in_are_played_too_but_not_its_backdoors(tmp_path, monkeypatch):
    catalogues = load_plugins([write_plugin(tmp_path, monkeypatch)])
    assert crafted_attacks(catalogues, "black_box").keys() == BLIND | {"shrinking", "darker"}
