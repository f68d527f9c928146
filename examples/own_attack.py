"""An attack of your own: check that it keeps the contract, and run it against rules as a plug-in.

    cd examples && python own_attack.py

The command line takes it, too: `sparring check-plugin own_attack:Drift`, and
`sparring run --plugin own_attack attack.name=drift attack.malicious=10`.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from sparring.arrays import Matrix
from sparring.conformance import conformance
from sparring.contracts import OmniscientView
from sparring.experiments import load_plugins, parse_config, run


@dataclass(frozen=True)
class Drift:
    """Submit the benign mean, moved against its sign by the same distance in every coordinate."""

    needs: ClassVar[type[OmniscientView]] = OmniscientView
    distance: float = 0.05
    """The distance, in each coordinate."""

    def craft(self, view: OmniscientView) -> Matrix:
        mean = view.benign.mean(dim=0) if len(view.benign) > 0 else view.parameters.new_zeros(view.network.size)
        return (mean - self.distance * mean.sign()).nan_to_num().expand(len(view.clients), -1)


ATTACKS = {"drift": Drift}


def accuracy(rule: str, folder: Path) -> float:
    """Run the attack against a rule, and return the accuracy after the last round."""
    document = {
        "model": {"name": "logistic"},
        "federation": {"rounds": 30},
        "attack": {"name": "drift", "malicious": 10, "distance": 0.1},
        "defense": {"name": rule},
    }
    catalogues = load_plugins(["own_attack"])
    return float(run(parse_config(document, catalogues), folder, catalogues=catalogues).result["accuracy"])


def main() -> None:
    """Check the attack, then run it."""
    for finding in conformance(Drift()):
        print("FAILS " if finding.failures else "passes", finding.check, *finding.failures)
    with TemporaryDirectory() as folder:
        for rule in ("mean", "median", "krum"):
            print(f"{rule:<8} {accuracy(rule, Path(folder) / rule):.1%}")


if __name__ == "__main__":
    main()
