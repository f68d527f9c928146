"""Every attack against every rule on MNIST: `python -m studies.table` plays what is missing and writes the table."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

from sparring.cli.progress import follow_sweep
from sparring.experiments.analysis.frames import read_frame
from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.sweeps import Plan, SweepSummary, list_missing, plan_sweep, sweep
from tools.site.examples import player, section
from tools.site.members import Member, members

FEDERATION = {"clients": 100, "sampled": 10, "rounds": 150, "batch": 32, "lr": 0.05}
MALICIOUS, SHARE = 20, 0.2
NO_ATTACK = "none"
CHOSEN = {"alie": {"z": 1.5}}
"""Options that differ from the defaults: ALIE's published z is 0 at 2 malicious of 10, which is no attack."""

ABOUT = """# Every attack against every rule

Accuracy on MNIST after {rounds} rounds (`lenet`, 100 clients of which 20 are malicious, 10 a round, label skew q = 0.5,
batch 32, lr 0.05, seed 0). One seed: differences of a few hundredths say nothing. Each attack and each rule plays with
its defaults, ALIE alone with z = 1.5 (its published z is 0 at 2 malicious of 10). Every rule assumes 20 % malicious
updates, or the largest share that it can be set to (*), so no rule is told that more malicious clients are drawn in
some rounds. Bold: below half of what the rule reaches without attack.

"""


def document() -> dict[str, Any]:
    """Return the sweep: every attack that needs no training beforehand, none of them first, by every rule."""
    handmade = (attack for attack in members("attacks", "poisons") if not attack.needs_file)
    attacks = sorted(handmade, key=lambda attack: attack.name != NO_ATTACK)
    return {
        "base": {"data": {"name": "mnist"}, "federation": FEDERATION, "evaluation": {"every": 50}},
        "axes": {
            "attack": {attack.name: {"attack": attacker(attack)} for attack in attacks},
            "defense": {
                rule.name: {"defense": section(rule), "threat.assumed_malicious": share(rule)}
                for rule in members("defenses")
            },
        },
    }


def attacker(attack: Member) -> dict[str, Any]:
    return {**section(attack), **CHOSEN.get(attack.name, {}), "malicious": MALICIOUS}


def share(rule: Member) -> float:
    """Return the share of malicious updates that a rule assumes: the same for all, as far as they can bear it."""
    sampled = FEDERATION["sampled"]
    return min(SHARE, player(rule).limit(sampled) / sampled)


def played(plan: Plan, folder: Path, *, jobs: int) -> SweepSummary:
    """Play all runs that are missing, `jobs` at a time."""
    with follow_sweep(folder, jobs) as observer:
        return sweep(plan, folder, workers=LocalWorkers(jobs), observer=observer, retry_failed=True)


def written(runs: pd.DataFrame) -> str:
    """Write the table, a row a rule and a column an attack."""
    accuracies = runs.pivot(index="defense", columns="attack", values="accuracy")
    capped = {rule.name for rule in members("defenses") if share(rule) < SHARE}
    lines = [["rule", *(f"`{attack}`" for attack in accuracies)], ["---"] + ["---:"] * len(accuracies.columns)]
    for rule, found in accuracies.iterrows():
        marked = [f"**{value:.2f}**" if value < found[NO_ATTACK] / 2 else f"{value:.2f}" for value in found]
        lines.append([f"`{rule}`" + (" *" if rule in capped else ""), *marked])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def effort(runs: int, *, jobs: int, minutes: float | None) -> str:
    """Say how the table came about; nobody knows how long it took if it was played in several parts."""
    took = "" if minutes is None else f", {minutes:.0f} minutes"
    return f"\nPlayed by `python -m studies.table --runs runs/gallery --jobs {jobs}`: {runs} runs{took}.\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=Path, default=Path("runs/gallery"), help="the sweep's folder")
    options.add_argument("--out", type=Path, default=Path("docs/results/gallery.md"), help="the page to write")
    options.add_argument("--jobs", type=int, default=2, help="runs at a time, a process each")
    options.add_argument("--minutes", type=float, help="what all runs took; measured if all are played now")
    given = options.parse_args()
    plan, start = plan_sweep(document()), time.monotonic()
    is_new = len(list_missing(given.runs, plan.cells, retry_failed=True)) == len(plan.runs)
    stands = played(plan, given.runs, jobs=given.jobs)
    if stands.failures:
        sys.exit(f"no page is written: {len(stands.failures)} runs failed, see {given.runs / 'failures'}")
    minutes = (time.monotonic() - start) / 60 if is_new else given.minutes
    about = ABOUT.format(rounds=FEDERATION["rounds"])
    page = about + written(read_frame(given.runs)) + effort(len(plan.runs), jobs=given.jobs, minutes=minutes)
    given.out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
