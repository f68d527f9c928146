"""Former names are accepted with a warning, and nothing that was played under them gets another digest."""

import json
import warnings

import pytest

from sparring import attacks
from sparring.errors import ConfigError, FormerName
from sparring.experiments import digest, load_plugins, parse_config, run, to_document
from sparring.experiments.audit import read_request
from sparring.experiments.config.catalogues import CATALOGUES, list_members
from sparring.experiments.config.recorded import read_recorded
from sparring.experiments.config.renamed import RENAMED, to_former, to_present
from sparring.experiments.runs.manifest import read_manifest, read_old_manifest
from sparring.experiments.sweeps import plan_sweep
from tests.experiments.plugging import MODULE, SOURCE, write_plugin
from tests.experiments.small import small

LMP = {"name": "lmp", "malicious": 5}
GAUSSIAN = {"name": "gaussian", "malicious": 5}
TARGETED = {"name": "targeted_eb", "malicious": 5}
SKEW = {"name": "client_skew"}

# In the former spelling, in the present one, and the first digits of the digest that the version before gave it.
CASES = [
    ({"attack": {**LMP, "taken": "best"}}, {"attack": {**LMP, "lambda_choice": "best"}}, "1536d48d3b58a508"),
    (
        {"attacks": [{**GAUSSIAN, "deviation": 3.0}, {"name": "ipm", "malicious": 2}]},
        {"attacks": [{**GAUSSIAN, "std": 3.0}, {"name": "ipm", "malicious": 2}]},
        "7b22a704933c0ca8",
    ),
    (
        {"attack": {**TARGETED, "stealthy": 3, "stealth": 0.5}},
        {"attack": {**TARGETED, "stealth_steps": 3, "stealth_weight": 0.5}},
        "b09fb48be6102d9f",
    ),
    (
        {"data": {"partition": {**SKEW, "pr": 0.25}}},
        {"data": {"partition": {**SKEW, "main_label_probability": 0.25}}},
        "8eccdf6fb2dba72d",
    ),
]
former_and_present = pytest.mark.parametrize(("former", "present", "name"), CASES)


def accepted(document):
    """Configure a document, and return what is told of its names."""
    with pytest.warns(FormerName) as told:
        config = parse_config(document)
    return config, [str(warning.message) for warning in told]


def test_every_former_name_is_an_option_no_longer_and_every_present_one_is():
    for section, kind in (("attack", "attacks"), ("data.partition", "partitions")):
        options = {entry.name: {option.name for option in entry.options} for entry in list_members(kind)}
        for member, renamed in RENAMED[section].items():
            assert renamed.keys().isdisjoint(options[member])
            assert set(renamed.values()) <= options[member]


@former_and_present
def test_both_spellings_are_the_same_run_with_the_digest_that_it_had(former, present, name):
    config, _ = accepted(former)
    assert config == parse_config(present)
    assert digest(config).startswith(name)


@pytest.mark.parametrize(
    ("document", "name"),
    [({"attack": LMP}, "87e3f002389b16aa"), ({"data": {"partition": "client_skew"}}, "cb537ee5a18c30b4")],
)
def test_a_default_that_is_not_written_keeps_its_digest_too(document, name):
    assert digest(parse_config(document)).startswith(name)


def test_the_present_name_is_told():
    _, told = accepted({"attacks": [{**TARGETED, "stealth": 0.5}], "data": {"partition": {**SKEW, "pr": 0.25}}})
    assert told == [
        "data.partition.pr is now called data.partition.main_label_probability; the old name is accepted until 0.4",
        "attacks.0.stealth is now called attacks.0.stealth_weight; the old name is accepted until 0.4",
    ]


def test_the_warning_leads_to_who_wrote_the_name():
    with pytest.warns(FormerName) as told:
        parse_config({"attack": {**LMP, "taken": "best"}})
    assert told[0].filename == __file__


def test_both_names_of_an_option_are_refused():
    message = "attack.taken is now called attack.lambda_choice, and both are given; leave out taken"
    with pytest.raises(ConfigError, match=f"^{message}$"):
        parse_config({"attack": {**LMP, "taken": "best", "lambda_choice": "best"}})


def test_a_name_in_capitals_has_its_options_too():
    config, _ = accepted({"attack": {"name": "LMP", "malicious": 5, "taken": "best"}})
    assert config.attacks[0].member["lambda_choice"] == "best"


@pytest.mark.parametrize("document", [{"attack": 3}, {"attacks": 3}, {"attacks": [3]}, {"data": {"partition": 3}}])
def test_what_is_no_section_is_left_to_whoever_refuses_it(document):
    assert to_present(document) == document
    with pytest.raises(ConfigError, match="is 3; it must be a "):
        parse_config(document)


@former_and_present
def test_what_earlier_versions_recorded_is_read_without_a_word(former, present, name):
    config = parse_config(present)
    recorded = to_former(to_document(config))
    assert recorded != to_document(config)
    assert to_present(recorded) == to_document(config)
    assert read_recorded(recorded) == config


def test_a_folder_of_an_earlier_version_is_resumed_in_the_present_spelling(tmp_path):
    config = small("attack={name: gaussian, malicious: 2, std: 0.5}")
    first = run(config, tmp_path / "run")
    manifest = tmp_path / "run" / "manifest.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "config": to_former(content["config"])}))
    assert '"deviation"' in manifest.read_text()
    assert read_manifest(tmp_path / "run").config == read_old_manifest(tmp_path / "run").config == config
    assert run(config, tmp_path / "run", existing="resume") == first


def planned(option):
    base = {"federation": {"rounds": 2}, "attack": LMP}
    return plan_sweep({"base": base, "axes": {f"attack.{option}": ["last", "best"]}})


def test_an_axis_may_have_a_former_name_and_plans_the_same_runs():
    with pytest.warns(FormerName, match=r"^attack\.taken is now called attack\.lambda_choice; "):
        plan = planned("taken")
    assert plan.runs.keys() == planned("lambda_choice").runs.keys()


def test_an_audit_keeps_its_digest():
    data = {"partition": {**SKEW, "pr": 0.25}}
    document = {"attack": {"name": "gaussian", "deviation": 3.0, "malicious": 3}, "data": data}
    with pytest.warns(FormerName):
        request = read_request(document, seeds=2, budget=60.0)
    assert request.digest.startswith("103dd201bc7aa30e")
    assert request.attacks["gaussian"] == {"name": "gaussian", "std": 3.0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert request.run(request.attacks["gaussian"], seed=0).attacks[0].member["std"] == 3.0


class TestPoisons:
    def test_they_are_attacks(self):
        with pytest.warns(FormerName, match=r"^POISONS are now among the ATTACKS; "):
            poisons = attacks.POISONS
        assert poisons.keys() == {"dba", "label_flip", "level_k_client"}
        assert poisons.items() <= attacks.ATTACKS.items()

    def test_the_kind_stands_for_attacks(self):
        with pytest.warns(
            FormerName, match=r"^poisons are now among the attacks; the old name is accepted until 0\.4$"
        ):
            assert CATALOGUES["poisons"] is CATALOGUES["attacks"]
        assert "poisons" not in CATALOGUES

    def test_a_plug_in_may_have_a_table_of_them(self, tmp_path, monkeypatch):
        source = SOURCE.replace('"darker": Darker, ', "") + 'POISONS = {"darker": Darker}\n'
        write_plugin(tmp_path, monkeypatch, source)
        with pytest.warns(FormerName, match="^poisons are now among the attacks; "):
            catalogues = load_plugins([MODULE])
        assert catalogues["attacks"].keys() - CATALOGUES["attacks"].keys() == {"shrinking", "darker", "sleeping"}
        document = {"attack": {"name": "darker", "malicious": 1}}
        assert parse_config(document, catalogues).attacks[0].member["name"] == "darker"
