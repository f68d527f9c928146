import pytest

from sparring import defenses
from sparring.conformance.rules import answer
from sparring.conformance.server import BENIGN
from sparring.defenses import (
    CRFL,
    DEFENSES,
    FLAME,
    Bucketing,
    Bulyan,
    CenteredClipping,
    Clipped,
    ClippedTrimmedMean,
    ClippingMedian,
    DnC,
    FLTrust,
    FoolsGold,
    GeometricMedian,
    GradedTrust,
    Krum,
    Mean,
    Median,
    MultiKrum,
    NearestNeighborMixing,
    NormBounding,
    RootCorrection,
    Safeguard,
    SignGuard,
    TrimmedMean,
    WeakDifferentialPrivacy,
)
from sparring.errors import UnknownName
from sparring.registry import build
from tests.defenses.contract import DefenseContract, Example

EXAMPLES = {
    "bucketing": Example(Bucketing(Median())),
    "bulyan": Example(Bulyan()),
    "centered_clipping": Example(CenteredClipping(radius=1.5, iterations=3), translates=False, scales=False),
    "clipped": Example(Clipped(TrimmedMean(), max_norm=1.5), translates=False, scales=False),
    "clipped_trimmed_mean": Example(ClippedTrimmedMean(max_norm=1.5, trim=0.7), translates=False, scales=False),
    "clipping_median": Example(ClippingMedian(max_norm=1.5), translates=False, scales=False),
    "crfl": Example(CRFL(TrimmedMean(), start=0.4, noise=0.0), translates=False, scales=False),
    "dnc": Example(DnC(coordinates=3, iterations=2)),
    "fedavg": Example(Mean(), resists=False),
    "flame": Example(FLAME(noise=0.0), translates=False),
    "fltrust": Example(FLTrust(), translates=False),
    "foolsgold": Example(FoolsGold(), translates=False, agrees=False),
    "geometric_median": Example(GeometricMedian()),
    "graded_trust": Example(GradedTrust(max_norm=1.0, trim=0.3), translates=False),
    "krum": Example(Krum()),
    "mean": Example(Mean(), resists=False),
    "median": Example(Median()),
    "multi_krum": Example(MultiKrum()),
    "nearest_neighbor_mixing": Example(NearestNeighborMixing(TrimmedMean())),
    "norm_bounding": Example(NormBounding(max_norm=1.5), translates=False, scales=False),
    "rfa": Example(GeometricMedian()),
    "root_correction": Example(RootCorrection(TrimmedMean()), translates=False, agrees=False),
    "safeguard": Example(Safeguard(), resists=False),
    "signguard": Example(SignGuard(), translates=False),
    "trimmed_mean": Example(TrimmedMean()),
    "weak_differential_privacy": Example(
        WeakDifferentialPrivacy(max_norm=1.5, noise=0.0), translates=False, scales=False
    ),
}

REQUIRED = {
    name: {"inner": {"name": "median"}}
    for name in ("bucketing", "clipped", "crfl", "nearest_neighbor_mixing", "root_correction")
}
"""The options without a default."""
RULES = [name for name, cls in DEFENSES.items() if hasattr(cls, "aggregate")]
"""The other defenses plan a rule and a repair in each round."""


def test_every_rule_has_an_example():
    assert EXAMPLES.keys() == set(RULES)
    assert DEFENSES.keys() - RULES == {"learned"}


@pytest.mark.parametrize("name", RULES)
def test_an_example_is_of_the_rule_it_stands_for(name):
    assert type(EXAMPLES[name].rule) is DEFENSES[name]


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
class TestDefenses(DefenseContract):
    pass


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_a_rule_that_remembers_clients_says_so(example):
    _, memory = answer(example.rule, BENIGN)
    assert getattr(example.rule, "per_client", False) == ("clients" in memory)


@pytest.mark.parametrize("name", RULES)
def test_a_name_builds_its_rule(name):
    assert type(build("defense", DEFENSES, {"name": name, **REQUIRED.get(name, {})})) is DEFENSES[name]


@pytest.mark.parametrize("name", RULES)
def test_an_unknown_option_is_refused(name):
    with pytest.raises(UnknownName, match=f"defense '{name}' has no option 'trimm'"):
        build("defense", DEFENSES, {"name": name, "trimm": 3, **REQUIRED.get(name, {})})


def test_every_rule_can_be_imported_by_its_name():
    assert {rule.__name__ for rule in DEFENSES.values()} <= set(defenses.__all__)
