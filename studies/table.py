"""Every attack against every rule on MNIST: `python -m studies.table` executes missing runs and writes the table."""

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
batch 32, lr 0.05, seed 0). One seed: differences of a few hundredths are not significant. All attacks and rules use
their defaults, except for ALIE with z = 1.5 (its published z is 0 at 2 malicious of 10). Every rule assumes 20 %
malicious updates, or the largest share that it allows (*), so no rule receives the larger number of malicious clients
in some rounds. Bold: below half of the accuracy of the rule without attack.

"""


def document() -> dict[str, Any]:
    """Return the sweep: every attack without training, starting with no attack, by every rule."""
    crafted = (attack for attack in members("attacks", "poisons") if not attack.needs_file)
    attacks = sorted(crafted, key=lambda attack: attack.name != NO_ATTACK)
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
    """Return the share of malicious updates that a rule assumes: the same for all rules, up to the limit of each."""
    sampled = FEDERATION["sampled"]
    return min(SHARE, player(rule).limit(sampled) / sampled)


def run_missing(plan: Plan, folder: Path, *, jobs: int) -> SweepSummary:
    """Execute all missing runs with `jobs` workers."""
    with follow_sweep(folder, jobs) as observer:
        return sweep(plan, folder, workers=LocalWorkers(jobs), observer=observer, retry_failed=True)


def written(runs: pd.DataFrame) -> str:
    """Return the table with one row per rule and one column per attack."""
    accuracies = runs.pivot(index="defense", columns="attack", values="accuracy")
    capped = {rule.name for rule in members("defenses") if share(rule) < SHARE}
    lines = [["rule", *(f"`{attack}`" for attack in accuracies)], ["---"] + ["---:"] * len(accuracies.columns)]
    for rule, found in accuracies.iterrows():
        marked = [f"**{value:.2f}**" if value < found[NO_ATTACK] / 2 else f"{value:.2f}" for value in found]
        lines.append([f"`{rule}`" + (" *" if rule in capped else ""), *marked])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def effort(runs: int, *, jobs: int, minutes: float | None) -> str:
    """Return the command and the time of the table; the time is unknown if it was run in several parts."""
    took = "" if minutes is None else f", {minutes:.0f} minutes"
    return f"\nMeasured by `python -m studies.table --runs runs/gallery --jobs {jobs}`: {runs} runs{took}.\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=Path, default=Path("runs/gallery"), help="folder of the sweep")
    options.add_argument("--out", type=Path, default=Path("docs/results/gallery.md"), help="page to write")
    options.add_argument("--jobs", type=int, default=2, help="number of worker processes")
    options.add_argument("--minutes", type=float, help="minutes of all runs; measured if all are run now")
    given = options.parse_args()
    plan, start = plan_sweep(document()), time.monotonic()
    is_new = len(list_missing(given.runs, plan.cells, retry_failed=True)) == len(plan.runs)
    status = run_missing(plan, given.runs, jobs=given.jobs)
    if status.failures:
        sys.exit(f"no page is written: {len(status.failures)} runs failed, see {given.runs / 'failures'}")
    minutes = (time.monotonic() - start) / 60 if is_new else given.minutes
    about = ABOUT.format(rounds=FEDERATION["rounds"])
    page = about + written(read_frame(given.runs)) + effort(len(plan.runs), jobs=given.jobs, minutes=minutes)
    given.out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
