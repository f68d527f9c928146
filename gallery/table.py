"""Every attack against every rule on MNIST: `python -m gallery.table` plays what is missing and writes the table."""

import argparse
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from gallery.examples import player, section
from gallery.members import Member, members
from sparring.experiments import configure, digest, run
from sparring.training import keep_freed_memory

ROUNDS = 150
FEDERATION = {"clients": 100, "sampled": 10, "rounds": ROUNDS, "batch": 32, "lr": 0.05}
MALICIOUS, SHARE = 20, 0.2
CHOSEN = {"alie": {"z": 1.5}}
"""Options that differ from the defaults: ALIE's published z is 0 at 2 malicious of 10, which is no attack."""
COMMAND = "python -m gallery.table --runs runs/gallery --jobs 2"

ABOUT = """# Every attack against every rule

Accuracy on MNIST after {rounds} rounds (`lenet`, 100 clients of which 20 are malicious, 10 a round, label skew q = 0.5,
batch 32, lr 0.05, seed 0). One seed: differences of a few hundredths say nothing. Each attack and each rule plays with
its defaults, ALIE alone with z = 1.5 (its published z is 0 at 2 malicious of 10). Every rule assumes 20 % malicious updates, or the largest share that it can be set to (*), so no rule is
told that more malicious clients are drawn in some rounds. Bold: below half of what the rule reaches without attack.

"""


class Cell(NamedTuple):
    """One run of the table."""

    attack: str
    rule: str
    document: Mapping[str, Any]


def cells() -> Iterator[Cell]:
    """Yield all runs, attack by attack."""
    rules = members("defenses")
    for attack in members("attacks", "poisons"):
        for rule in rules:
            yield Cell(attack.name, rule.name, document(attack, rule))


def document(attack: Member, rule: Member) -> dict[str, Any]:
    """Return the configuration of a run."""
    return {
        "data": {"name": "mnist"},
        "federation": FEDERATION,
        "attack": {**section(attack), **CHOSEN.get(attack.name, {}), "malicious": MALICIOUS},
        "defense": section(rule),
        "threat": {"assumed_malicious": share(rule)},
        "evaluation": {"every": 50},
    }


def share(rule: Member) -> float:
    """Return the share of malicious updates that a rule assumes: the same for all, as far as they can bear it."""
    sampled = FEDERATION["sampled"]
    return min(SHARE, player(rule).limit(sampled) / sampled)


def play(cell: Cell, folder: Path) -> float:
    """Play a run, unless it has been, and return its final accuracy."""
    keep_freed_memory()
    config = configure(cell.document)
    accuracy: float = run(config, folder / digest(config)[:12], existing="resume").result["accuracy"]
    return accuracy


def play_all(folder: Path, jobs: int) -> dict[tuple[str, str], float]:
    """Play all runs that are missing, `jobs` at a time."""
    accuracies = {}
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        played = {pool.submit(play, cell, folder): cell for cell in cells()}
        for count, future in enumerate(as_completed(played), start=1):
            cell = played[future]
            accuracies[cell.attack, cell.rule] = future.result()
            print(f"{count}/{len(played)} {cell.attack} × {cell.rule}: {future.result():.3f}", flush=True)
    return accuracies


def written(accuracies: Mapping[tuple[str, str], float]) -> str:
    """Write the table, a row a rule and a column an attack."""
    attacks = list(dict.fromkeys(attack for attack, _ in accuracies))
    attacks.sort(key=lambda attack: (attack != "none", attack))
    lines = [["rule", *(f"`{attack}`" for attack in attacks)], ["---"] + ["---:"] * len(attacks)]
    for rule in members("defenses"):
        clean = accuracies["none", rule.name]
        found = [accuracies[attack, rule.name] for attack in attacks]
        marked = [f"**{value:.2f}**" if value < clean / 2 else f"{value:.2f}" for value in found]
        lines.append([f"`{rule.name}`" + ("" if share(rule) == SHARE else " *"), *marked])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=Path, default=Path("runs/gallery"), help="where the runs lie")
    options.add_argument("--out", type=Path, default=Path("docs/results/gallery.md"), help="the page to write")
    options.add_argument("--jobs", type=int, default=2, help="runs at a time, a process each")
    given = options.parse_args()
    start = time.monotonic()
    accuracies = play_all(given.runs, given.jobs)
    minutes = (time.monotonic() - start) / 60
    effort = f"\nPlayed by `{COMMAND}`: {len(accuracies)} runs, {minutes:.0f} minutes on two cores.\n"
    given.out.write_text(ABOUT.format(rounds=ROUNDS) + written(accuracies) + effort, encoding="utf-8")


if __name__ == "__main__":
    main()
