import json

import pytest

from sparring.errors import ConfigError, UnknownName
from sparring.experiments import apply_overrides, digest, parse_config, parse_document, to_document
from sparring.experiments.config.schema import CLIENTS, ROUNDS
from sparring.federation import Federation
from sparring.models import MODELS


def configured(*settings):
    return parse_config(apply_overrides({}, settings))


def refusal(*settings):
    with pytest.raises(ConfigError) as raised:
        configured(*settings)
    return str(raised.value)


def test_nothing_needs_to_be_said():
    config = parse_config({})
    assert config.data.member["name"] == "digits"
    assert config.model == {"name": "lenet"}
    assert config.defense == {"name": "mean"}
    assert config.attacks == ()


def test_defaults_are_those_of_the_classes():
    federation = parse_config({}).federation
    assert federation.sampled == Federation.sampled
    assert federation.momentum == Federation.momentum
    assert (federation.local_steps, federation.batch, federation.lr) == Federation.recipe


SAID = [
    (),
    ("attack.name=lmp", "attack.malicious=20", "defense.name=krum"),
    ("attacks.0.name=ipm", "attacks.0.malicious=3", "attacks.1.name=label_flip", "attacks.1.malicious=1"),
    ("defense.name=clipped", "defense.max_norm=1", "defense.inner.name=clipped", "defense.inner.inner.name=median"),
    ("attack={name: bfl, malicious: 3, trigger: {name: badnets, size: 2}, local_epochs: 6, lr: 0.1}",),
    ("post_training={name: prun, share: 0.2}", "threat.mastermind=false"),
    ("data.name=synthetic", "data.partition.name=dirichlet", "data.root_bias=0.3", "execution.backend=batched"),
]


@pytest.mark.parametrize("settings", SAID)
def test_a_described_configuration_is_configured_again(settings):
    config = configured(*settings)
    described = json.loads(json.dumps(to_document(config)))
    assert parse_config(described) == config
    assert to_document(parse_config(described)) == described


@pytest.mark.parametrize("settings", SAID)
def test_the_digest_is_the_same_whether_defaults_are_written_or_not(settings):
    written = to_document(configured(*settings))
    assert digest(parse_config(written)) == digest(configured(*settings))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["federation.rounds=200"], []),
        (["attack.name=none"], []),
        (["attack.name=ipm", "attack.malicious=0"], []),
        (["defense.name=fedavg"], ["defense.name=mean"]),
        (["defense.name=trimmed-mean"], ["defense.name=trimmed_mean"]),
        (["defense.name=clipped", "defense.inner.name=median"], ["defense={name: clipped, inner: {name: median}}"]),
        (["attack.name=ipm", "attack.malicious=2"], ["attacks=[{name: ipm, malicious: 2, scale: 5, start: 0}]"]),
        (["execution.threads=2", "execution.backend=sequential"], []),
        (["model="], []),
        (["defense=krum"], ["defense.name=krum"]),
        (["defense=Krum"], ["defense.name=krum"]),
        (["defense=krum", "defense.malicious=2"], ["defense={name: krum, malicious: 2}"]),
        (["defense={name: krum, malicious: 2}", "defense=multi-krum"], ["defense={name: multi_krum, malicious: 2}"]),
        (["defense=clipped", "defense.inner=median"], ["defense={name: clipped, inner: {name: median}}"]),
        (["data=MNIST", "data.partition=Dirichlet"], ["data.name=mnist", "data.partition.name=dirichlet"]),
        (["data.partition=dirichlet", "data.partition.alpha=0.1"], ["data.partition={name: dirichlet, alpha: 0.1}"]),
        (["model=mlp", "post_training=clp"], ["model.name=mlp", "post_training.name=clp"]),
        (["attack=lmp", "attack.malicious=2"], ["attack.name=lmp", "attack.malicious=2"]),
        (
            ["attack=bfl", "attack.malicious=2", "attack.trigger=square"],
            ["attack={name: bfl, malicious: 2, trigger: {name: square}}"],
        ),
        (["attack=NONE"], []),
        (["execution.backend=Sequential"], []),
    ],
)
def test_saying_the_same_in_another_way_gives_the_same_digest(one, other):
    assert digest(configured(*one)) == digest(configured(*other))


@pytest.mark.parametrize(
    "setting",
    ["seed=1", "federation.lr=0.1", "data.partition.q=0.4", "evaluation.every=5", "model.name=mlp", "data.size=8"],
)
def test_the_digest_tells_other_results_apart(setting):
    assert digest(configured(setting)) != digest(configured())


def test_what_follows_from_the_data_is_left_open_unless_it_is_written():
    attack = ("attack.name=label_flip", "attack.malicious=1")
    assert "classes" not in to_document(configured(*attack))["attacks"][0]
    assert to_document(configured(*attack, "attack.classes=7"))["attacks"][0]["classes"] == 7


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["federatoin.rounds=3"], "the configuration has no key 'federatoin'; did you mean 'federation'?"),
        (["federation.round=3"], "federation has no key 'round'; did you mean 'rounds'?"),
        (["federation.learning_rate=0.1"], "federation has no key 'learning_rate'; did you mean 'lr'?"),
        (["rounds=3"], "the configuration has no key 'rounds'; did you mean 'federation.rounds'?"),
        (["learning-rate=3"], "the configuration has no key 'learning-rate'; did you mean 'federation.lr'?"),
        (["malicious=3"], "the configuration has no key 'malicious'; did you mean 'attack.malicious'?"),
        (["aggregator=krum"], "the configuration has no key 'aggregator'; did you mean 'defense'?"),
        (["dataset=mnist"], "the configuration has no key 'dataset'; did you mean 'data'?"),
        (["data.name=EMINST"], "unknown data 'EMINST'; did you mean 'emnist'?"),
        (["evaluation.evry=3"], "evaluation has no key 'evry'; did you mean 'every'?"),
        (["data.validtion=0.1"], "data 'digits' has no key 'validtion'; did you mean 'validation'?"),
        (["data.sizes=8"], "data 'digits' has no key 'sizes'; did you mean 'size'?"),
        (["data.partition.qq=1"], "data.partition 'label_skew' has no option 'qq'; did you mean 'q'?"),
        (["data.name=minst"], "unknown data 'minst'; did you mean 'mnist'?"),
        (["model.name=lennet"], "unknown model 'lennet'; did you mean 'lenet'?"),
        (["defense.name=meedian"], "unknown defense 'meedian'; did you mean 'median'?"),
        (
            ["attack.name=ipm", "attack.malicios=3"],
            "attack 'ipm' has no key 'malicios'; did you mean 'malicious'?",
        ),
        (
            ["attacks.0.name=lpm", "attacks.0.malicious=3"],
            "unknown attacks.0 'lpm'; did you mean 'lmp'?",
        ),
        (["execution.backend=bached"], "unknown execution.backend 'bached'; did you mean 'batched'?"),
        (
            ["model.name=sparring.models.cnn:Cnn"],
            f"unknown model 'sparring.models.cnn:Cnn'; known: {', '.join(MODELS)}",
        ),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest_one(settings, message):
    assert refusal(*settings) == message
    with pytest.raises(UnknownName):
        configured(*settings)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("federation.rounds=0", "federation.rounds is 0; it must be greater than or equal to 1"),
        ("federation.rounds=-5", "federation.rounds is -5; it must be greater than or equal to 1"),
        (
            f"federation.rounds={ROUNDS + 1}",
            f"federation.rounds is 10000001; it must be less than or equal to {ROUNDS}",
        ),
        (
            f"federation.clients={CLIENTS + 1}",
            f"federation.clients is 1000001; it must be less than or equal to {CLIENTS}",
        ),
        ("federation.rounds=1e2", "federation.rounds is 100.0; it must be a whole number, as in 100"),
        ("federation.rounds=true", "federation.rounds is True; it must be a whole number"),
        ("federation.rounds=many", "federation.rounds is 'many'; it must be a whole number"),
        ("federation.lr=nan", "federation.lr is 'nan'; it must be a number"),
        ("federation.lr=0", "federation.lr is 0; it must be greater than 0"),
        ("federation.momentum=1", "federation.momentum is 1; it must be less than 1"),
        ("seed=-1", "seed is -1; it must be greater than or equal to 0"),
        ("seed=1.5", "seed is 1.5; it must be a whole number"),
        ("data.root_bias=2", "data.root_bias is 2; it must be less than or equal to 1"),
        ("evaluation.on=train", "evaluation.on is 'train'; it must be 'test' or 'validation'"),
        ("threat.knowledge=gray", "threat.knowledge is 'gray'; it must be 'black_box', 'white_box' or 'omniscient'"),
        ("threat.mastermind=1", "threat.mastermind is 1; it must be true or false"),
        ("execution.device=tpu", "execution.device is 'tpu'; it must be 'cpu' or 'cuda'"),
        ("execution.threads=0", "execution.threads is 0; it must be greater than or equal to 1"),
        ("post_training.name=neurocip", "unknown post_training 'neurocip'; did you mean 'neuroclip'?"),
        ("post_training.bound=3", "post_training 'none' has no option 'bound'; it has none"),
        (
            "attack={name: bfl, malicious: 1, trigger: 3}",
            "attack.trigger is 3; it must be a section with a name",
        ),
        (
            "attack={name: bfl, malicious: 1, trigger: {name: bar}}",
            "unknown attack.trigger 'bar'; did you mean 'bars'?",
        ),
        (
            "attack={name: bfl, malicious: 1, local_steps: 2, local_epochs: 3}",
            "attack.local_epochs is 3.0; attack.local_steps is given, use one",
        ),
        ("attack={name: bfl, malicious: 1, batch: 0}", "attack.batch is 0; it must be greater than or equal to 1"),
        ("federation=3", "federation is 3; it must be a section, as in federation: {name: value}"),
        ("defense=3", "defense is 3; it must be a section, as in defense: {name: value}"),
        ("attacks=3", "attacks is 3; it must be a list of sections, each with a name"),
        ("attacks=[3]", "attacks.0 is 3; it must be a section with a name"),
        ("attacks=[ipm]", "attacks.0 lacks 'malicious'; set attacks.0.malicious"),
        ("attack.name=ipm", "attack lacks 'malicious'; set attack.malicious"),
        ("defense.name=clipped", "defense 'clipped' lacks 'inner'; set defense.inner"),
    ],
)
def test_a_value_that_will_not_do_is_refused_with_what_would(setting, message):
    assert refusal(setting) == message


def test_an_attack_is_named_by_one_section_or_by_a_list():
    assert refusal("attack.name=none", "attacks=[]") == (
        "attack and attacks are both given; move all sections into attacks"
    )
    assert refusal("attack.malicious=3").startswith("attack.name is missing; it must be one of: ")
    assert configured("attack=", "attacks=[]").attacks == ()


def test_several_attackers_keep_their_order():
    several = configured(*SAID[2]).attacks
    assert [(attacker.member["name"], attacker.malicious) for attacker in several] == [("ipm", 3), ("label_flip", 1)]


DESIGNED = """
seed: 0
data:          {name: digits, validation: 0.0, partition: {name: label_skew, q: 0.5}}
model:         {name: lenet}
federation:    {clients: 50, sampled: 10, rounds: 200, batch: 32, local_steps: 1, lr: 0.05, server_lr: 1, momentum: 0}
attack:        {name: ipm, malicious: 20, start: 0, scale: 5.0}
defense:       {name: clipped, max_norm: 1.0, inner: {name: median}}
post_training: {name: none}
threat:        {knowledge: omniscient, mastermind: true, assumed_malicious: 0.2}
evaluation:    {every: 10}
execution:     {backend: auto, threads: 1, device: cpu}
"""


def test_a_whole_document_is_configured():
    document = parse_document("run.yaml", DESIGNED)
    shorter = configured(
        *("attack.name=ipm", "attack.malicious=20"),
        *("defense.name=clipped", "defense.max_norm=1", "defense.inner.name=median"),
    )
    assert parse_config(document) == shorter


# The first digits of digests that were made before attackers could have a recipe of their own.
MADE_BEFORE = [
    ((), "f0685cc62be08e8c"),
    (("attack={name: ipm, malicious: 5}",), "f51c6ce5c8005ab2"),
    (
        (
            "attack={name: eb, malicious: 5, lr: 0.1}",
            "defense={name: clipped, max_norm: 1.0, inner: {name: median}}",
        ),
        "e1cc28e0b1728ea3",
    ),
    (("attack={name: label_flip, malicious: 5}",), "060c0ba8601ab59e"),
    # Before these players had a second form.
    (("attack={name: dba, malicious: 5}",), "fb38db4cd23f5b3b"),
    (("attack={name: local_search, malicious: 5, scale: 5, steps: 11, lr: 0.1}",), "5b52d3c88cab9d3b"),
    (("defense={name: krum}",), "1a7245a6a7f8f819"),
    (("defense={name: signguard}",), "dc2f3a91955a731f"),
    (("post_training={name: mm_bm}",), "d64451d783e033d5"),
]


@pytest.mark.parametrize(("settings", "name"), MADE_BEFORE)
def test_results_keep_the_name_that_they_have(settings, name):
    assert digest(configured(*settings)).startswith(name)


@pytest.mark.parametrize(
    ("attack", "setting"),
    [
        ("ipm", "of=minimum"),
        ("dba", "parts=random"),
        ("local_search", "batch=32"),
        ("local_search", "shared=200"),
    ],
)
def test_a_second_form_of_an_attack_makes_another_run(attack, setting):
    plain = configured(f"attack={{name: {attack}, malicious: 3}}")
    other = configured(f"attack={{name: {attack}, malicious: 3}}", f"attack.{setting}")
    assert digest(other) != digest(plain)
    assert (
        setting.partition("=")[0] in to_document(other)["attacks"][0].keys() - to_document(plain)["attacks"][0].keys()
    )
    assert parse_config(to_document(other)) == other


def test_a_recipe_of_an_attacker_s_own_makes_another_run():
    plain = configured("attack={name: bfl, malicious: 3}")
    assert not {"local_steps", "local_epochs", "batch", "lr"} & to_document(plain)["attacks"][0].keys()
    for setting in ("local_steps=1", "local_epochs=1", "batch=32", "lr=0.05"):
        own = configured("attack={name: bfl, malicious: 3}", f"attack.{setting}")
        assert digest(own) != digest(plain)
        assert setting.partition("=")[0] in to_document(own)["attacks"][0]


def test_what_an_attacker_calls_its_own_stays_its_own():
    (boosting,) = configured("attack={name: eb, malicious: 3, lr: 0.3, batch: 5}").attacks
    assert (boosting.member["lr"], boosting.lr, boosting.batch) == (0.3, None, 5)


def test_a_target_may_be_any_class_until_the_data_are_known():
    (attacker,) = configured("attack={name: bfl, malicious: 3, target: 61}").attacks
    assert attacker.member["target"] == 61
    assert "classes" not in attacker.member
