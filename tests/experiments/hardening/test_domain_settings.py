import pytest

from sparring.errors import ConfigError
from sparring.experiments import parse_document
from sparring.experiments.hardening.domain_settings import list_types, parse_domain, read_domain
from sparring.experiments.hardening.shipped_domains import DEFAULT, SHIPPED

RUN = {"model": "logistic", "federation": {"clients": 40}, "attack": {"name": "eb", "malicious": 3}}
IPM = {"attack": {"name": "ipm", "malicious": 2}}


def parsed(types):
    return parse_domain({"types": types}, RUN)


def refusal(given):
    with pytest.raises(ConfigError) as raised:
        parse_domain(given, RUN)
    return str(raised.value)


def clients(settings):
    return [attacker.malicious for attacker in settings.config.attacks]


@pytest.mark.parametrize("name", [*SHIPPED])
def test_a_shipped_domain_is_parsed_for_a_federation(name):
    assert parse_domain(name, RUN).keys() == SHIPPED[name].keys()


def test_the_default_domain_has_the_types_of_harden():
    types = parse_domain(DEFAULT, RUN)
    assert [*types] == ["none", "ipm", "lmp", "bfl", "ipm+bfl", "local_search"]
    assert [clients(each) for each in types.values()] == [[], [8], [8], [4], [8, 4], [8]]


def test_the_domains_of_table_three_are_united_in_the_third():
    assert {**SHIPPED["meta_rl"], **SHIPPED["meta_sg"]} == SHIPPED["meta_sg+"]
    followers = [each.follower for each in parse_domain("meta-SG", RUN).values()]
    assert [each.malicious for each in followers] == [4] * 4 + [2] * 4
    assert {each.against.defense["name"] for each in followers} == {"mean", "clipping_median", "krum", "fltrust"}
    assert [each.acting["name"] for each in followers] == ["local_search"] * 4 + ["poisoned_search"] * 4


def test_counts_run_through_the_shares_of_malicious_clients():
    assert [clients(each) for each in parse_domain("counts", RUN).values()] == [[count] for count in range(2, 22, 2)]


def test_skew_runs_through_the_heterogeneity():
    found = [each.config.data.partition for each in parse_domain("skew", RUN).values()]
    assert [each["q"] for each in found] == [tenths / 10 for tenths in range(1, 11)]


def test_a_type_has_its_weight_attackers_and_world():
    types = parsed(
        {
            "none": {},
            "two": {"weight": 2, "attacks": [{"name": "ipm", "share": 0.25}, {"name": "lmp", "malicious": 3}]},
            "late": {"attack": {"name": "ipm", "scale": 3.0, "malicious": 2, "start": 4}},
            "skewed": {"data": {"partition": {"name": "label_skew", "q": 0.9}}, "federation": {"clients": 8}},
        }
    )
    assert [each.weight for each in types.values()] == [1, 2, 1, 1]
    assert [clients(each) for each in types.values()] == [[], [10, 3], [2], []]
    late = types["late"].config.attacks[0]
    assert (late.member["name"], late.member["scale"], late.start) == ("ipm", 3.0, 4)
    skewed = types["skewed"].config
    assert (skewed.data.partition["q"], skewed.federation.clients) == (0.9, 8)
    assert skewed.model == types["none"].config.model == {"name": "logistic"}
    assert types["none"].config.federation.clients == 40


def test_a_share_counts_the_clients_of_the_own_world_and_at_least_one():
    small = {"federation": {"clients": 10, "sampled": 5}, "attack": {"name": "ipm", "share": 0.2}}
    few = {"attack": {"name": "ipm", "share": 0.001}}
    nobody = {"attack": {"name": "ipm", "share": 0.0}}
    types = parsed({"small": small, "few": few, "nobody": nobody})
    assert [clients(each) for each in types.values()] == [[2], [1], []]


def test_given_types_are_added_to_a_named_domain_and_replace_equal_names():
    types = parse_domain({"name": "meta-RL", "types": {"ipm": {**IPM, "weight": 5}, "mine": IPM}}, RUN)
    assert [*types] == ["none", "ipm", "lmp", "bfl", "dba", "mine"]
    assert (types["ipm"].weight, clients(types["ipm"])) == (5, [2])


def test_a_follower_is_trained_against_the_mean_unless_another_rule_is_named():
    acting = {"name": "local_search", "steps": [1, 5]}
    against = {"defense": "median", "post_training": {"name": "neuroclip", "bound": 3.0}}
    types = parsed(
        {
            "rl": {"follower": {"acting": acting, "malicious": 4}},
            "median": {"follower": {"acting": "portfolio", "share": 0.1, "against": against}},
        }
    )
    plain, other = (each.follower for each in types.values())
    assert (plain.acting["steps"], plain.against.defense["name"]) == ([1, 5], "mean")
    assert (other.against.defense["name"], other.against.post_training["bound"]) == ("median", 3.0)
    assert (plain.malicious, other.malicious) == (4, 4)


def test_a_file_holds_a_domain(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("domain:\n  name: none\n  types:\n    ipm: {weight: 2, attack: {name: ipm, share: .1}}\n")
    types = parse_domain(read_domain(str(file)), RUN)
    assert [(name, each.weight) for name, each in types.items()] == [("none", 1), ("ipm", 2)]
    assert list_types(read_domain("counts")) == SHIPPED["counts"]


def test_a_file_without_a_domain_is_refused(tmp_path):
    file = tmp_path / "run.yaml"
    for text, message in (("{}", "no section 'domain'"), ("domian: harden", "no key 'domian'; did you mean 'domain'")):
        file.write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_domain(str(file))
    with pytest.raises(ConfigError, match="no such file"):
        read_domain(str(tmp_path / "absent.yaml"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("hardn", "unknown domain 'hardn'; did you mean 'harden'?; or give a file, .yaml or .yml"),
        ("{}", "domain has no type of positive weight; give domain.name, or domain.types with at least one"),
        ("{types: {ipm: {weight: 0}}}", "domain has no type of positive weight"),
        ("{type: {}}", "domain has no key 'type'; did you mean 'types'?"),
        ("{types: []}", "types is []; it must be a section"),
        ("{types: {a: 3}}", "a is 3; it must be a section"),
        ("{types: {a: {atack: ipm}}}", "domain type 'a': it has no key 'atack'; did you mean 'attack'?"),
        ("{types: {a: {weight: -1}}}", "domain type 'a': weight is -1; it must be "),
        (
            "{types: {a: {attack: {name: ipn, share: .1}}}}",
            "domain type 'a': unknown attack 'ipn'; did you mean 'ipm'?",
        ),
        ("{types: {a: {attack: ipm}}}", "domain type 'a': attack lacks 'malicious'; set attack.malicious"),
        (
            "{types: {a: {attack: {name: ipm, share: .1, malicious: 2}}}}",
            "domain type 'a': attack.share is 0.1; attack.malicious is given, use one",
        ),
        ("{types: {a: {attack: {name: ipm, share: 10}}}}", "domain type 'a': attack.share is 10; it must be "),
        ("{types: {a: {attacks: ipm}}}", "domain type 'a': attacks is 'ipm'; it must be a list"),
        ("{types: {a: {data: {name: mnist}}}}", "domain type 'a': its data has no key 'name'; known: partition"),
        ("{types: {a: {model: lenet}}}", "domain type 'a': it has no key 'model'"),
        ("{types: {a: {federation: {cliants: 3}}}}", "domain type 'a': federation has no key 'cliants'; did you mean"),
        ("{types: {a: {follower: {share: .1}}}}", "domain type 'a': follower lacks 'acting'; set follower.acting"),
        ("{types: {a: {follower: {acting: portfolio}}}}", "domain type 'a': follower lacks 'malicious'"),
        (
            "{types: {a: {follower: {acting: portfolo, malicious: 1}}}}",
            "domain type 'a': unknown follower.acting 'portfolo'; did you mean 'portfolio'?",
        ),
        (
            "{types: {a: {follower: {acting: portfolio, malicious: 1, against: {rule: krum}}}}}",
            "domain type 'a': follower.against has no key 'rule'; did you mean 'defense'?",
        ),
    ],
)
def test_what_cannot_be_a_domain_is_refused_in_one_line(given, message):
    said = refusal(parse_document("given", f"domain: {given}")["domain"])
    assert said.startswith(message)
    assert "\n" not in said
