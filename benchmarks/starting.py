"""The start-up time of commands, relative to importing only torch, numba and pydantic."""

import subprocess
import sys

from benchmarks.timing import interleaved

ALONE = ("-c", "import torch, numba, pydantic")
COMMANDS = {
    "sparring --help": ("-m", "sparring.cli", "--help"),
    "sparring list": ("-m", "sparring.cli", "list"),
    "sparring run --dry-run": ("-m", "sparring.cli", "run", "data.name=synthetic", "model.name=logistic", "--dry-run"),
}
REPEATS = 5


def seconds(repeats: int = REPEATS) -> dict[str, float]:
    """Return the median seconds of each command, and of the imports only."""
    tasks = {name: lambda words=words: _run(*words) for name, words in {"alone": ALONE, **COMMANDS}.items()}
    return interleaved(tasks, repeats=repeats, warmup=1)


def main(*, repeats: int = REPEATS) -> None:
    taken = seconds(repeats)
    print(
        f"start-up time relative to importing torch, numba and pydantic ({taken['alone']:.2f} s); list: at most 1.5 x"
    )
    for name in COMMANDS:
        print(f"  {name:<24}{taken[name] / taken['alone']:.2f} x")
    print()


def _run(*words: str) -> None:
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
