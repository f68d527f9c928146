"""Print the time of a minibatch by level, from the runs of figure 7 or A.9: `python -m studies.level_times FOLDER`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, median

from sparring.experiments.analysis.frames import read_frame
from sparring.experiments.analysis.text_tables import Table, as_text
from sparring.experiments.jobs.atomic_files import read_json
from sparring.experiments.runs.run_folder import TIMING
from sparring.experiments.sweeps.sweep_folder import RUNS

HEADER = ("attack", "defense", "ms per minibatch", "accuracy", "gain of attack", "gain of defense")


def read_times(folder: Path) -> Table:
    """Return a line for each pair of levels: median time over seeds, mean accuracy, and gains over the null strategy.

    The time is that of whole rounds, from `timing.json`: the learner's step and both players. A gain is the change of
    accuracy that a side achieves against the same opponent, in the sense that it prefers.
    """
    runs = read_frame(folder)
    cells: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in runs.itertuples():
        timing = read_json(folder / RUNS / str(row.run) / TIMING) or {}
        speed = timing.get("rounds_per_second")
        cells.setdefault((str(row.attack), str(row.defense)), []).append((1e3 / speed if speed else 0.0, row.accuracy))
    return Table("time of a minibatch by level", HEADER, tuple(_lines(cells)))


def _lines(cells: dict[tuple[str, str], list[tuple[float, float]]]) -> Iterator[tuple[str, ...]]:
    accuracies = {cell: fmean(accuracy for _, accuracy in found) for cell, found in cells.items()}
    (no_attack, no_defense) = next(iter(cells))
    for (attack, defense), found in cells.items():
        own = accuracies[attack, defense]
        attacker = accuracies.get((no_attack, defense), own) - own
        defender = own - accuracies.get((attack, no_defense), own)
        taken = median(milliseconds for milliseconds, _ in found)
        yield attack, defense, f"{taken:.1f}", f"{own:.3f}", f"{attacker:+.3f}", f"{defender:+.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of r2t2-fig7, r2t2-figa9 or r2t2-figa9-finite")
    sys.stdout.write(as_text(read_times(parser.parse_args().folder)))


if __name__ == "__main__":
    main()
