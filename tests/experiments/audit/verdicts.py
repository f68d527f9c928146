"""Audits that nobody had to play."""

from pathlib import Path

import pandas as pd

from sparring.experiments.analysis.frames import MEASURED
from sparring.experiments.audit.result import Audit, AuditVerdict, Breaking, compare_rules, find_worst, judge
from sparring.experiments.audit.training import TrainedPolicy
from tests.experiments.audit.asking import SMALL

CLEAN, WEAK, STRONG, LEARNED = "none", "gaussian", "eb", "learned 1"
BROKEN = Breaking({25: 0.1, 12: 0.4, 6: 0.8, 9: 0.5}, 12, 0.2)


def runs(**accuracies: tuple[float, ...]) -> pd.DataFrame:
    """Return a frame in which each attack, underscores for blanks, has these accuracies, a seed each."""
    rows = [
        {"attack": attack.replace("_", " "), **dict.fromkeys(MEASURED), "seed": seed, "accuracy": accuracy}
        for attack, each in accuracies.items()
        for seed, accuracy in enumerate(each)
    ]
    return pd.DataFrame(rows, columns=["attack", *MEASURED]).astype({"attack": "category"})


def verdict(learned: tuple[float, ...] = (0.1, 0.2, 0.15), breaking: Breaking = BROKEN) -> AuditVerdict:
    """Return the verdict on a rule that hand-crafted attacks take from 90 % to 60 %."""
    frame = runs(none=(0.9, 0.92, 0.88), gaussian=(0.85, 0.9, 0.8), eb=(0.6, 0.7, 0.5), learned_1=learned)
    told = judge(frame, find_worst(frame, (WEAK, STRONG)), learned=LEARNED, breaking=breaking)
    return told._replace(references=compare_rules(frame, references(), told, rule="krum"))


def references() -> pd.DataFrame:
    """Return the runs of two reference rules with two seeds; median was never run under the learned attack."""
    mean = runs(none=(0.95, 0.93), eb=(0.1, 0.3), learned_1=(0.2, 0.2)).assign(defense="mean")
    median = runs(none=(0.9, 0.9), eb=(0.7, 0.5)).assign(defense="median")
    return pd.concat([mean, median]).astype({"attack": "category", "defense": "category"})


def finished(told: AuditVerdict) -> Audit:
    """Return an audit that came to a verdict."""
    return Audit(Path("audit"), SMALL, told, {LEARNED: TrainedPolicy(Path("policy"), (0.5, 1.5), 40, 0.8)})
