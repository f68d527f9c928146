import json
import sys
from importlib import metadata

import pytest

from sparring.errors import ConfigError, Interrupted, PluginError, RunError, UnknownName
from sparring.experiments import (
    CATALOGUES,
    Observer,
    apply_overrides,
    load_model,
    load_plugins,
    parse_config,
    resume,
    run,
)
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.config.plugins import GROUP, build_plugin, load_class, member_name, plugins_of
from tests.experiments.plugging import EVERYTHING, MODULE, SOURCE, forget, write_plugin
from tests.experiments.small import SETTINGS, lasting, small


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Return the name of a module beside the process that has one of everything."""
    return write_plugin(tmp_path, monkeypatch)


def everything(catalogues):
    return parse_config(apply_overrides({}, SETTINGS + EVERYTHING), catalogues)


def refusal(error, modules, **options):
    with pytest.raises(error) as raised:
        load_plugins(modules, **options)
    return str(raised.value)


def test_a_plug_in_adds_to_every_catalogue_and_changes_none(plugin):
    before = {kind: dict(table) for kind, table in CATALOGUES.tables.items()}
    catalogues = load_plugins([plugin])
    assert CATALOGUES.tables == before
    added = {kind: set(catalogues[kind]) - set(CATALOGUES[kind]) for kind in catalogues}
    assert added == {
        "attacks": {"shrinking", "darker", "sleeping"},
        "triggers": {"raised"},
        "post-training": {"rounded"},
        "defenses": {"midrange", "behind"},
        "datasets": {"stairs"},
        "partitions": {"dealt"},
        "models": {"narrow"},
        "perturbations": set(),
        "purifications": set(),
        "backends": set(),
    }
    assert [(each.module, each.version) for each in catalogues.plugins] == [(MODULE, "1.2")]


def test_everything_of_a_plug_in_can_be_played(plugin):
    catalogues = load_plugins([plugin])
    config = everything(catalogues)
    scenario = build_scenario(config, load_dataset(config, catalogues), catalogues=catalogues)
    assert type(scenario.defense.inner).__name__ == "Midrange"
    players = [attacker.attack or attacker.poison for attacker in scenario.attackers]
    assert [type(player).__name__ for player in players] == ["Shrinking", "Darker", "Sleeping"]
    assert [type(backdoor.trigger).__name__ for backdoor in scenario.backdoors] == ["Raised"]
    assert type(scenario.repair).__name__ == "Rounded"
    assert scenario.federation.network.size == 24


def test_without_its_plug_in_a_name_is_unknown(plugin):
    load_plugins([plugin])
    with pytest.raises(ConfigError, match="unknown defense 'midrange'"):
        small("defense.name=midrange")


def test_the_search_path_is_as_before(plugin):
    before = list(sys.path)
    load_plugins([plugin])
    assert sys.path == before


def test_a_module_beside_the_process_hides_none_that_is_installed(tmp_path, monkeypatch):
    write_plugin(tmp_path, monkeypatch, module="typer")
    assert refusal(PluginError, ["typer"]).startswith("plug-in typer has no table; give it one or more of: ATTACKS, ")


def test_a_plug_in_given_twice_is_taken_once(plugin):
    assert load_plugins([plugin, plugin]) == load_plugins([plugin])


BROKEN = [
    ("raise OSError('no luck\\ntoday')", PluginError, "plug-in my_players raised OSError: no luck"),
    ("import nowhere", PluginError, "plug-in my_players raised ModuleNotFoundError: No module named 'nowhere'"),
    ("def", PluginError, "plug-in my_players raised SyntaxError: invalid syntax (my_players.py, line 1)"),
    (
        "",
        PluginError,
        "plug-in my_players has no table; give it one or more of: ATTACKS, PERTURBATIONS, ",
    ),
    ("DEFENSES = [1]", PluginError, "plug-in my_players: DEFENSES is list; it must map names to classes"),
    (
        "DEFENSES = {'Mine': dict}",
        PluginError,
        "plug-in my_players: DEFENSES has the name 'Mine'; use lower-case words, as in my_rule",
    ),
    (
        "DEFENSES = {'mine': dict}",
        PluginError,
        "plug-in my_players: DEFENSES has 'mine', which is not a dataclass with a method `aggregate` or `plan`",
    ),
    (
        "DEFENSES = {'mine': 'os:system'}",
        PluginError,
        "plug-in my_players: DEFENSES has 'mine', which is not a dataclass with a method `aggregate` or `plan`",
    ),
    (
        SOURCE + "DEFENSES = {'krum': Midrange}",
        PluginError,
        "plug-in my_players: DEFENSES has 'krum', which is taken; rename it",
    ),
    (
        SOURCE + "ATTACKS = {'label_flip': Shrinking}",
        PluginError,
        "plug-in my_players: ATTACKS has 'label_flip', which is taken; rename it",
    ),
]


@pytest.mark.parametrize(("source", "error", "message"), BROKEN, ids=[message for _, _, message in BROKEN])
def test_a_plug_in_that_cannot_be_used_is_blamed_by_name(tmp_path, monkeypatch, source, error, message):
    assert refusal(error, [write_plugin(tmp_path, monkeypatch, source)]).startswith(message)


@pytest.mark.parametrize("name", ["nowhere_to_be_found", "os.nowhere"])
def test_a_module_that_is_not_there_is_said_to_be_missing(name):
    message = f"there is no module {name!r}; install it, or change to the folder that holds it"
    assert refusal(ConfigError, [name]) == message


@pytest.mark.parametrize("name", ["", "my rules", "a;b", "../rules", "rules.py/", ".rules"])
def test_what_is_no_module_s_name_is_refused(name):
    assert refusal(ConfigError, [name]) == f"{name!r} is not a module name; write it as in package.module"


def declare(monkeypatch, *modules):
    """Let installed packages declare these plug-ins."""
    entries = [metadata.EntryPoint(module, module, GROUP) for module in modules]
    monkeypatch.setattr(metadata, "entry_points", lambda *, group: entries if group == GROUP else [])


def test_installed_packages_add_their_plug_ins_by_themselves(plugin, monkeypatch):
    declare(monkeypatch, plugin)
    assert load_plugins() == load_plugins([plugin])
    assert "midrange" in load_plugins()["defenses"]


def test_a_broken_plug_in_of_an_installed_package_stops_nobody(tmp_path, monkeypatch):
    declare(monkeypatch, write_plugin(tmp_path, monkeypatch, "raise ValueError('old')"))
    notices = []
    assert load_plugins(notice=notices.append) == CATALOGUES
    line = "plug-in my_players raised ValueError: old (my_players.py:1); continuing without this plug-in of a package"
    assert notices == [line]


def test_the_version_of_a_plain_file_is_its_digest(tmp_path, monkeypatch):
    versions = set()
    for source in (SOURCE.replace('"1.2"', "None"), SOURCE.replace('"1.2"', "None") + "# changed\n"):
        (plugin,) = load_plugins([write_plugin(tmp_path, monkeypatch, source)]).plugins
        versions.add(plugin.version)
    assert len(versions) == 2
    assert all(version.startswith("sha256:") for version in versions)


RAISED = "attack={name: bfl, malicious: 1, trigger: {name: raised}}"


@pytest.mark.parametrize("setting", [*EVERYTHING[:2], EVERYTHING[3], EVERYTHING[4], EVERYTHING[6], RAISED])
def test_a_run_knows_the_plug_ins_that_it_names_something_of(plugin, setting):
    catalogues = load_plugins([plugin])
    assert plugins_of(small(), catalogues) == {}
    assert plugins_of(parse_config(apply_overrides({}, [*SETTINGS, "attack=", setting]), catalogues), catalogues) == {
        MODULE: "1.2"
    }


class TestResume:
    @pytest.fixture
    def stopped(self, plugin, tmp_path):
        """Return a run with a plug-in that was stopped after three rounds."""
        seen = []
        observer = Observer(record=seen.append, wants_stop=lambda: seen[-1].round == 3)
        catalogues = load_plugins([plugin])
        with pytest.raises(Interrupted, match=f"resume with: sparring resume .*run --plugin {MODULE}$"):
            run(everything(catalogues), tmp_path / "run", observer=observer, catalogues=catalogues)
        return tmp_path / "run"

    def test_the_manifest_says_which_plug_ins_were_used(self, stopped):
        assert json.loads((stopped / "manifest.json").read_text())["plugins"] == {MODULE: "1.2"}

    def test_a_plug_in_is_not_imported_because_a_file_says_so(self, stopped, monkeypatch):
        forget(monkeypatch)
        with pytest.raises(
            RunError, match="with a plug-in that is not loaded; if you trust it, add --plugin my_players"
        ):
            resume(stopped)
        assert MODULE not in sys.modules

    def test_with_its_plug_in_a_run_goes_on_to_the_same_bytes(self, stopped, tmp_path):
        catalogues = load_plugins([MODULE])
        resume(stopped, catalogues=catalogues)
        run(everything(catalogues), tmp_path / "straight", catalogues=catalogues)
        assert lasting(stopped) == lasting(tmp_path / "straight")

    def test_another_version_of_a_plug_in_is_told_of(self, stopped, tmp_path, monkeypatch):
        write_plugin(tmp_path, monkeypatch, SOURCE.replace("1.2", "1.3"))
        notices = []
        resume(stopped, observer=Observer(notice=notices.append), catalogues=load_plugins([MODULE]))
        assert notices == [f"{stopped} was started with other versions; results may differ in their last bits"]

    def test_the_model_of_a_plug_in_is_loaded_with_it(self, stopped):
        catalogues = load_plugins([MODULE])
        resume(stopped, catalogues=catalogues)
        assert load_model(stopped, catalogues).network.size == 24
        with pytest.raises(ConfigError, match="unknown model 'narrow'"):
            load_model(stopped)


@pytest.mark.parametrize("path", ["my_players", "my_players:", "Midrange"])
def test_a_class_is_written_with_its_module(path):
    with pytest.raises(ConfigError, match="is not a class; write it as in package.module:Class"):
        load_class(path)


@pytest.mark.parametrize("name", ["np", "torch"])
def test_a_class_must_be_a_dataclass(plugin, name):
    with pytest.raises(PluginError, match=f"plug-in my_players: '{name}' is not a dataclass"):
        load_class(f"{plugin}:{name}")


@pytest.mark.parametrize(("name", "offered"), [("Middrange", "did you mean 'Midrange'"), ("X", "known: Midrange, Beh")])
def test_a_misspelt_class_is_answered_with_the_nearest_one(plugin, name, offered):
    with pytest.raises(UnknownName, match=f"plug-in my_players has no class '{name}'; {offered}"):
        load_class(f"{plugin}:{name}")


def test_a_class_is_built_with_settings(plugin):
    shrinking = build_plugin(load_class(f"{plugin}:Shrinking"), ["attack.share=0.5"], CATALOGUES)
    assert shrinking.share == 0.5
    behind = build_plugin(load_class(f"{plugin}:Behind"), ["defense.inner.name=median"], CATALOGUES)
    assert type(behind.inner).__name__ == "Median"
    with pytest.raises(ConfigError, match="lacks 'inner'; set defense.inner"):
        build_plugin(load_class(f"{plugin}:Behind"), [], CATALOGUES)
    with pytest.raises(ConfigError, match="'attack.share=1' is not a setting of Behind; write defense.key=value"):
        build_plugin(load_class(f"{plugin}:Behind"), ["attack.share=1"], CATALOGUES)


FAULTY = [
    (
        "return low / 2 + high / 2, memory",
        "raise KeyError('gone')",
        "defense={name: midrange}",
        "defense Midrange raised KeyError: 'gone'",
    ),
    (
        "return from_arrays(",
        "return dict(name=",
        "data={name: stairs, root_size: 0}",
        "data Stairs loaded dict; it must load a Dataset",
    ),
    (
        "labels = np.arange(160) % 4",
        "labels = 1 / 0",
        "data={name: stairs, root_size: 0}",
        "data Stairs raised ZeroDivisionError: division",
    ),
    (
        "return iid(labels, clients, rng=rng)",
        "pass",
        "data.partition.name=dealt",
        "partition Dealt assigned NoneType; it must assign a Partition",
    ),
    (
        "return iid(labels, clients, rng=rng)",
        "return iid(labels, 3, rng=rng)",
        "data.partition.name=dealt",
        "partition Dealt made 3 shards; it must make one for each of 8 clients",
    ),
    (
        "return nn.Sequential(",
        "return (",
        "model.name=narrow",
        "model Narrow raised AttributeError: 'tuple' object has no attribute 'parameters'",
    ),
]


@pytest.mark.parametrize(("sound", "faulty", "setting", "message"), FAULTY, ids=[each[-1] for each in FAULTY])
def test_what_breaks_its_contract_in_a_run_is_blamed_by_name(tmp_path, monkeypatch, sound, faulty, setting, message):
    assert SOURCE.count(sound) == 1
    module = write_plugin(tmp_path, monkeypatch, SOURCE.replace(sound, faulty))
    catalogues = load_plugins([module])
    settings = [*SETTINGS, "attack=", "threat.assumed_malicious=0", setting]
    with pytest.raises(PluginError) as raised:
        run(parse_config(apply_overrides({}, settings), catalogues), tmp_path / "run", catalogues=catalogues)
    assert str(raised.value).startswith(message)


def test_one_class_of_a_module_without_tables_is_a_plug_in(tmp_path, monkeypatch):
    source = SOURCE[: SOURCE.index("ATTACKS =")]
    write_plugin(tmp_path, monkeypatch, source)
    catalogues = load_plugins([f"{MODULE}:Midrange"])
    assert set(catalogues["defenses"]) - set(CATALOGUES["defenses"]) == {"midrange"}
    assert [(each.module, each.version) for each in catalogues.plugins] == [(f"{MODULE}:Midrange", "1.2")]
    config = parse_config({"defense": {"name": "midrange"}}, catalogues)
    assert plugins_of(config, catalogues) == {f"{MODULE}:Midrange": "1.2"}


def test_a_class_that_its_module_lists_too_is_the_same(plugin):
    assert "midrange" in load_plugins([plugin, f"{plugin}:Midrange"])["defenses"]


def test_a_class_whose_name_is_taken_is_refused(tmp_path, monkeypatch):
    write_plugin(tmp_path, monkeypatch, SOURCE + "class Krum(Midrange): pass\nKrum = dataclass(frozen=True)(Krum)\n")
    line = f"plug-in {MODULE}:Krum: DEFENSES has 'krum', which is taken; rename it"
    assert refusal(PluginError, [f"{MODULE}:Krum"]) == line


@pytest.mark.parametrize(
    ("cls", "name"), [("Rule", "rule"), ("MyRule", "my_rule"), ("MyRule2", "my_rule2"), ("MyABCRule", "my_abcrule")]
)
def test_a_class_is_called_by_its_words(cls, name):
    assert member_name(type(cls, (), {})) == name
