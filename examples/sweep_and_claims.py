"""A sweep over rules, attacks and seeds: its tables, claims that its numbers decide, and its report as a page.

    python examples/sweep_and_claims.py

Call it again, and it shows what the folder `rules` holds; what is missing is run.
"""

from pathlib import Path

from sparring.experiments.analysis.claims import Above, Claim, judge_claim
from sparring.experiments.analysis.frames import read_frame
from sparring.experiments.analysis.text_tables import as_text, make_grids
from sparring.experiments.report import read_study, render_page
from sparring.experiments.sweeps import plan_sweep, sweep

SWEEP = {
    "base": {
        "data": {"name": "digits"},
        "model": {"name": "logistic"},
        "federation": {"clients": 20, "sampled": 10, "rounds": 40, "lr": 0.1},
    },
    "axes": {
        "defense": ["mean", "median", "trimmed_mean"],
        "attack": {"none": {"attack.name": "none"}, "IPM": {"attack": {"name": "ipm", "malicious": 4}}},
        "seed": [0, 1, 2],
    },
}


def cell(defense: str, attack: str) -> dict[str, str]:
    """Return the labels of a cell."""
    return {"defense": defense, "attack": attack}


CLAIMS = (
    Claim("Without an attack the mean is above 80 %.", (Above(cell("mean", "none"), 0.8),)),
    Claim("Under IPM the median is above the mean.", (Above(cell("median", "IPM"), cell("mean", "IPM")),)),
    Claim("Under IPM the median loses nothing.", (Above(cell("median", "IPM"), cell("median", "none"), margin=-0.02),)),
)


def main() -> None:
    """Run the sweep, and print its tables and the verdict of each claim."""
    sweep(plan_sweep(SWEEP), "rules")
    runs = read_frame("rules")
    for table in make_grids(runs, "accuracy"):
        print(as_text(table))
    for claim in CLAIMS:
        print(f"{judge_claim(claim, runs).verdict}: {claim.words}")
    Path("rules.html").write_text(render_page(read_study("rules")), encoding="utf-8")


if __name__ == "__main__":
    main()
