"""Constant defenses in simulated episodes of several lengths: `python -m studies.episode_lengths`.

A hardening chooses by such episodes. Where they are shorter than the training, a backdoor that enters late is missed.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence

from sparring.contracts import RoundPlan
from sparring.defenses import GradedTrust
from sparring.experiments.config.sections import Section
from sparring.experiments.hardening.comparison import ComparedWorld, EpisodeScore, HeldOutCall, play_held_out
from sparring.experiments.hardening.request import read_hardening
from sparring.experiments.hardening.world import simulate_world
from studies.hardened import SETTINGS

KIND, IMAGES, EFFORT = "ipm+bfl", 2000, 1000
RULES: Mapping[str, GradedTrust] = {
    "c = 1, p = 1": GradedTrust(max_norm=1.0, power=1.0),
    "c = 2, p = 4": GradedTrust(max_norm=2.0, power=4.0),
    "c = 2, p = 2, τ = .1": GradedTrust(max_norm=2.0, threshold=0.1),
    "c = 2.5, p = 2.4, λ = .9, β = .13": GradedTrust(trust=0.9, max_norm=2.5, power=2.38, trim=0.13),
    "c = 3, p = 2": GradedTrust(),
}
"""Graded trust; the fourth is what a hardening with episodes of 80 rounds found."""


def play(setting: Section, lengths: Sequence[int], episodes: int) -> Iterator[tuple[str, int, list[EpisodeScore]]]:
    """Yield how each rule ends in held-out episodes of each length."""
    world = simulate_world(read_hardening({**setting, "harden": {"images": IMAGES}}, effort=EFFORT))
    plans = {name: RoundPlan(rule) for name, rule in RULES.items()}
    for name in RULES:
        for rounds in lengths:
            compared = ComparedWorld(world.scenario, world.domain, {}, plans, rounds, 0)
            yield name, rounds, [play_held_out(HeldOutCall(name, KIND, each), compared) for each in range(episodes)]


def written(name: str, rounds: int, scores: Sequence[EpisodeScore]) -> str:
    """Return a row of the table."""
    cells = " ".join(f"{each.accuracy:.2f}/{each.backdoor_accuracy or 0:.2f}" for each in scores)
    mean = sum(each.score for each in scores) / len(scores)
    return f"| {name} | {rounds} | {cells} | {mean:.2f} |\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--setting", choices=SETTINGS, default="mnist")
    options.add_argument("--rounds", type=int, nargs="+", default=[80, 150])
    options.add_argument("--episodes", type=int, default=3)
    given = options.parse_args()
    sys.stdout.write("| graded trust | rounds | accuracy/backdoor | mean difference |\n| --- | ---: | --- | ---: |\n")
    for row in play(SETTINGS[given.setting], given.rounds, given.episodes):
        sys.stdout.write(written(*row))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
