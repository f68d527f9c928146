"""Train the attack of a run during its rounds before the attack begins (Li et al., 2022, section 6.1)."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from shutil import rmtree
from typing import Any, Literal, NamedTuple

from sparring.arrays import Batch
from sparring.attacks import attack_policy
from sparring.attacks.learned.acting import ActionDecoder
from sparring.data import draw_examples
from sparring.errors import ConfigError, RunError
from sparring.experiments.analysis.frames import Labels
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.config.schema import Config
from sparring.experiments.jobs.atomic_files import translate_os_errors, write_json
from sparring.experiments.jobs.job import Failed, Stopped, stop_file
from sparring.experiments.jobs.observer import never
from sparring.experiments.jobs.resumable import ResumableJob, run_job
from sparring.experiments.jobs.save_pace import CheckpointInterval, SavePace
from sparring.experiments.jobs.snapshots import latest_progress
from sparring.experiments.jobs.train_policy import HONEST, refuse_shipped, save_policy, train_or_stop, train_policies
from sparring.experiments.jobs.workers import Workers
from sparring.experiments.reproductions.policy_trials import TRIALS, policies_of
from sparring.experiments.sweeps import Cell, Plan
from sparring.experiments.sweeps.follower import Follower
from sparring.experiments.sweeps.sweep_folder import POLICIES, sweep_lock
from sparring.federation import FederationState, Scenario
from sparring.games.federated import ATTACKER, AttackerSeat, ErrorObjective, attack_game, world_model
from sparring.learning.distribution import Denoising, DistributionLearning, reconstructed
from sparring.learning.distribution.observed_training import (
    ObservedTraining,
    cleaned_mixture,
    observe_training,
    unlabeled,
)
from sparring.learning.learner import Learner
from sparring.learning.online.schedule import OnlineSchedule, PolicyTrial
from sparring.learning.online.training import OnlineLearner, Worlds
from sparring.learning.sb3 import SB3Learner, TD3Settings
from sparring.learning.training_env import LearningTask
from sparring.policies.network import constant_policy
from sparring.policies.saved_policy import PolicyVersion, SavedPolicy
from sparring.random import stream
from sparring.snapshot import Codec, Snapshot
from sparring.training.backends.threaded import torch_threads

LEARNER: Learner[Any] = SB3Learner(TD3Settings())
DENOISING = Denoising()
CEILING = 3.0
"""The loss above which a further increase gives the attacker no reward. A model that guesses among ten classes has a
loss of 2.3; rewards far above that are rare and large, and slow down learning."""
EVALUATED = 200
"""The number of examples for evaluating a simulated model."""
IMAGES = "images"
EACH = CheckpointInterval(seconds=0, share=inf)
"""Each batch is saved: it takes long to reconstruct, and the last one is read by a training that resumes."""


Reward = Literal["loss", "error"]
"""The rise of the loss in a step, as published, or the share of examples that are classified wrongly after it: its sum
over an episode tells apart attacks that all end at the ceiling of the loss, and is less noisy than the end of one."""


@dataclass(frozen=True)
class OnlineTraining:
    """The settings of the online training of an attack."""

    acting: ActionDecoder
    schedule: OnlineSchedule
    learner: Learner[Any] = LEARNER
    reward: Reward = "loss"
    rounds: int = 100
    """The rounds of an episode, which starts from the global model at the start of training in its world."""
    inverting: DistributionLearning | None = None
    """The settings for learning the distribution; None: the attackers use only their own examples."""
    own: int = 200
    """The number of examples that the attackers share."""
    is_labeled: bool = True
    """Whether the attackers know the labels; if not, the examples are used only for denoising (RL0)."""
    denoising: Denoising = DENOISING
    """The settings for denoising reconstructions."""
    searches_on: Literal["mixture", "own"] = "mixture"
    """The examples for local searches in the real training: the learned mixture, as in the paper, or the attackers' own
    examples, as in the authors' code. Policies are trained on the mixture in both cases."""

    def __post_init__(self) -> None:
        if self.inverting is None and not self.is_labeled:
            raise ConfigError(
                "training.is_labeled is False; training without labels needs gradient inversion, set inverting"
            )
        if self.searches_on == "own" and not self.is_labeled:
            raise ConfigError("training.searches_on is 'own'; a search needs labels, use mixture")


class TrainingPart(NamedTuple):
    """An attack to train: the policy's file, the run without the attack, and the settings of the training."""

    policy: Path
    config: Config
    training: OnlineTraining


def training_parts(
    cells: Sequence[Cell], how: Callable[[Mapping[str, str]], OnlineTraining]
) -> dict[str, TrainingPart]:
    """Return the attacks of cells that are not trained yet, by the names of their files.

    A missing pre-trained policy is an error: nothing is written into the package.
    """
    found: dict[Path, TrainingPart] = {}
    for cell in cells:
        for policy in policies_of(cell.config):
            if not policy.exists() and policy not in found:
                assert isinstance(cell.config, Config)
                refuse_shipped(policy)
                found[policy] = TrainingPart(policy, _make_honest(cell.config), how(cell.labels))
    names = Counter(policy.stem for policy in found)
    return {policy.stem if names[policy.stem] == 1 else str(policy): part for policy, part in found.items()}


def train_attacks(
    plan: Plan, how: Callable[[Labels], OnlineTraining], *, folder: Path, workers: Workers, follower: Follower
) -> None:
    """Train the missing policies of a plan's cells in parallel."""
    jobs = training_parts(plan.cells, how)
    follower.begin(f"training {len(jobs)} {'policy' if len(jobs) == 1 else 'policies'}")
    policies, learning = folder / POLICIES, list(jobs.values())
    total = sum(count_steps(part.training) for part in learning)
    following = follower.training(policies, lambda: [*map(steps_made, learning)], total=total)
    with sweep_lock(folder):
        train_policies(workers, train_part, jobs=jobs, folder=policies, following=following)


def train_part(part: TrainingPart) -> Path | Stopped | Failed:
    """Train an attack, or resume its training, and return its file; errors are returned, not raised."""
    return train_or_stop(_train, part, part.policy.parent)


def learn_attack(
    scenario: Scenario,
    training: OnlineTraining,
    *,
    folder: Path,
    wants_stop: Callable[[], bool] = never,
    pace: SavePace | None = None,
) -> tuple[SavedPolicy, tuple[PolicyTrial, ...]]:
    """Train an attack for a scenario's malicious clients, which train honestly in it; the folder keeps snapshots.

    A trained policy is compared with the middle of all ranges, approximately the action of an untrained policy.
    """
    schedule = training.schedule
    worlds, examples = _make_worlds(scenario, training, folder=folder, wants_stop=wants_stop)
    untrained = attack_policy([PolicyVersion(0, constant_policy(worlds.own.space))], training.acting, examples=examples)
    learner = OnlineLearner(training.learner, schedule, scenario.federation.seed)
    job = ResumableJob(
        lambda start: learner.train(worlds, untrained, start=start),
        learner.codec(worlds),
        progress=lambda state: state.steps,
        total=count_steps(training),
    )
    state = run_job(job, folder, wants_stop=wants_stop, pace=pace)
    assert state is not None  # a schedule has at least one step
    return _drop_superseded(state.attack, schedule.attacks_from), state.trials


def count_steps(training: OnlineTraining) -> int:
    """Return the total number of simulated steps."""
    return training.schedule.steps(training.schedule.learns_until)


def steps_made(part: TrainingPart) -> int:
    """Return the number of simulated steps for an attack up to its latest snapshot."""
    wanted = count_steps(part.training)
    return wanted if part.policy.exists() else min(wanted, latest_progress(_snapshot_folder(part.policy)))


def _train(part: TrainingPart) -> Path:
    stop, folder = stop_file(part.policy.parent), _snapshot_folder(part.policy)
    with torch_threads(part.config.execution.threads):
        scenario = build_scenario(part.config, load_dataset(part.config))
        attack, trials = learn_attack(scenario, part.training, folder=folder, wants_stop=stop.exists)
    write_json(part.policy.with_suffix(TRIALS), [trial._asdict() for trial in trials])
    save_policy(part.policy, attack)
    with translate_os_errors(folder):
        if folder.exists():
            rmtree(folder)
    return part.policy


def _snapshot_folder(policy: Path) -> Path:
    """Return the folder of snapshots, which exists until an attack is trained."""
    return policy.with_suffix("")


def _make_honest(config: Config) -> Config:
    """Return the configuration of the run in which malicious clients train honestly."""
    return replace(config, attacks=tuple(replace(attacker, member=HONEST) for attacker in config.attacks))


def _make_worlds(
    scenario: Scenario, training: OnlineTraining, *, folder: Path, wants_stop: Callable[[], bool]
) -> tuple[Worlds, Batch]:
    """Return the games to train in, and the examples for local searches in the real training."""
    schedule = training.schedule
    known = observe_training(scenario, schedule.attacks_from, own=training.own)
    mixture = _learn_mixture(scenario, training, known=known, folder=folder / IMAGES, wants_stop=wants_stop)
    before, begin = (known.own if training.is_labeled else mixture), known.states[schedule.learns_from]
    earlier = _make_learning_task(scenario, training, examples=before, start=begin)
    worlds = Worlds(earlier, _make_learning_task(scenario, training, examples=mixture, start=known.states[-1]))
    return worlds, known.own if training.searches_on == "own" else mixture


def _learn_mixture(
    scenario: Scenario,
    training: OnlineTraining,
    *,
    known: ObservedTraining,
    folder: Path,
    wants_stop: Callable[[], bool],
) -> Batch:
    """Return the attackers' estimate of all clients' examples; reconstruction resumes from its snapshot."""
    if training.inverting is None:
        return known.own
    inverting, seed = training.inverting, scenario.federation.seed
    own = known.own if training.is_labeled else unlabeled(known.own)
    job = ResumableJob(
        lambda start: inverting.reconstruct(scenario.federation.network, known.leaks, own=own, seed=seed, start=start),
        Codec(_unchanged, _unchanged),
        progress=lambda packed: len(packed.numbers["notes"]),
        total=min(inverting.batches, len(known.leaks)),
        unit="reconstructed batches",
    )
    packed = run_job(job, folder, wants_stop=wants_stop, pace=SavePace(EACH))
    if packed is None:
        raise RunError("the attackers observe no gradient before the attack begins; use a later start")
    return cleaned_mixture(
        reconstructed(packed),
        known.own,
        is_labeled=training.is_labeled,
        rng=stream(seed, "denoising"),
        denoising=training.denoising,
    )


def _make_learning_task(
    scenario: Scenario, training: OnlineTraining, *, examples: Batch, start: FederationState
) -> LearningTask:
    """Return the learning task of the attacker on some examples, from a global model on."""
    world = world_model(scenario, examples)
    judged = draw_examples(examples, EVALUATED, rng=stream(scenario.federation.seed, "looked at"))
    game = attack_game(
        replace(world, federation=replace(world.federation, test=judged)),
        malicious=sum(len(party.clients) for party in scenario.parties),
        acting=training.acting,
        rounds=start.round + training.rounds,
        ceiling=CEILING,
    )
    if training.reward == "error":
        game = replace(game, roles={ATTACKER: AttackerSeat(training.acting, ErrorObjective(judged), gain="level")})
    return LearningTask(replace(game, starts=(start,)), ATTACKER)


def _unchanged(packed: Snapshot) -> Snapshot:
    return packed


def _drop_superseded(attack: SavedPolicy, begin: int) -> SavedPolicy:
    """Return the attack without policies that a later one replaces before the attack begins."""
    newest = max((since for since, _ in attack.versions if since <= begin), default=0)
    return replace(attack, versions=tuple(each for each in attack.versions if each.since >= newest))
