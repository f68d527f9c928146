"""Every attack against every rule on MNIST: `python -m studies.table` executes missing runs and writes the table."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sparring.cli.progress import follow_sweep
from sparring.experiments.analysis.frames import read_frame
from sparring.experiments.analysis.statistics import Summary, summarize
from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.sweeps import Plan, SweepSummary, list_missing, plan_sweep, sweep
from sparring.experiments.sweeps.axes import SEED
from tools.site.examples import player, section, sees_own_clients
from tools.site.members import Member, members

FEDERATION = {"clients": 100, "sampled": 10, "rounds": 150, "batch": 32, "lr": 0.05}
MALICIOUS, SHARE = 20, 0.2
SEEDS = [0, 1, 2]
NO_ATTACK = "none"
CHOSEN = {"alie": {"z": 1.5}}
"""Options that differ from the defaults: ALIE's published z is 0 at 2 malicious of 10, which is no attack."""
SAME = {"clipped": "clipping_median"}
"""A rule that equals another one, with the inner rule that it is shown with: only the other one is played."""

ABOUT = """---
hide: [toc]
---

# Every attack against every rule

Accuracy on MNIST after {rounds} rounds (`lenet`, 100 clients of which 20 are malicious, 10 a round, label skew q = 0.5,
batch 32, lr 0.05, {seeds}).
{spread}
All attacks and rules use defaults, except for ALIE with z = 1.5 (its published z is 0 at 2 malicious of 10). Every
rule assumes 20 % malicious updates, or the largest share that it allows (*), so no rule receives the larger number of
malicious clients in some rounds. Bold: below half of the accuracy of the rule without attack.
"""
ONE_SEED = "One seed: differences of a few hundredths say nothing."
SEVERAL_SEEDS = "Each cell is the mean over the seeds, with its 95 % t interval in brackets."
BLIND = "Attackers that see only their own clients"
INFORMED = "Attackers that know the rule or the benign updates"


def document() -> dict[str, Any]:
    """Return the sweep: every untargeted attack that has defaults for all its options, `none` first, by every rule."""
    untargeted = (attack for attack in members("attacks") if not (_needs_options(attack) or attack.is_backdoor))
    attacks = sorted(untargeted, key=lambda attack: attack.name != NO_ATTACK)
    return {
        "base": {"data": {"name": "mnist"}, "federation": FEDERATION, "evaluation": {"every": 50}},
        "axes": {
            "attack": {attack.name: {"attack": attacker(attack)} for attack in attacks},
            "defense": {
                rule.name: {"defense": section(rule), "threat.assumed_malicious": share(rule)}
                for rule in rules()
                if rule.name not in SAME
            },
            "seed": SEEDS,
        },
    }


def rules() -> list[Member]:
    """Return the rules that need no training beforehand."""
    return [rule for rule in members("defenses") if not rule.needs_file]


def _needs_options(attack: Member) -> bool:
    return any(option.required for option in attack.options)


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
    """Write a table for each kind of attackers, a row a rule and a column an attack."""
    grouped = runs.groupby(["defense", "attack"], observed=True)["accuracy"]
    found = {cell: summarize(list(accuracies), least=0.0, most=1.0) for cell, accuracies in grouped}
    attacks = list(dict.fromkeys(attack for _, attack in found if attack != NO_ATTACK))
    groups = {
        BLIND: [attack for attack in attacks if sees_own_clients(attack.split()[0])],
        INFORMED: [attack for attack in attacks if not sees_own_clients(attack.split()[0])],
    }
    return "".join(f"\n## {head}\n\n{_table(found, attacks)}" for head, attacks in groups.items() if attacks)


def _table(found: Mapping[tuple[str, str], Summary], attacks: Sequence[str]) -> str:
    capped = {rule.name for rule in rules() if share(rule) < SHARE}
    columns = [NO_ATTACK, *attacks]
    lines = [["rule", *(f"`{attack}`" for attack in columns)], ["---"] + ["---:"] * len(columns)]
    for rule in dict.fromkeys(rule for rule, _ in found):
        names = [rule, *(other for other, same in SAME.items() if same == rule)]
        cells = [_cell(found[rule, attack], clean=found[rule, NO_ATTACK].mean) for attack in columns]
        lines.append([", ".join(f"`{name}`" for name in names) + (" *" if rule in capped else ""), *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(found: Summary, *, clean: float) -> str:
    """Write the mean, and below it the interval in one piece, if there are seeds enough for one."""
    mean = f"**{found.mean:.2f}**" if found.mean < clean / 2 else f"{found.mean:.2f}"
    return mean if found.low is None else f"{mean} [{found.low:.2f},\u00a0{found.high:.2f}]"


def about(seeds: Sequence[int]) -> str:
    """Say what the tables show, and in which setting."""
    told = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {', '.join(map(str, seeds))}"
    spread = ONE_SEED if len(seeds) == 1 else SEVERAL_SEEDS
    return ABOUT.format(rounds=FEDERATION["rounds"], seeds=told, spread=spread)


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
    runs = read_frame(given.runs)
    page = about(sorted(runs[SEED].unique())) + written(runs) + effort(len(plan.runs), jobs=given.jobs, minutes=minutes)
    given.out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
