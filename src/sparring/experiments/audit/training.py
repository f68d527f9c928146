"""Train an attacker against a rule in a simulation of the federation, resumable after any interrupt."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, NamedTuple

from sparring.attacks import LocalSearchActions, TrainedAttack
from sparring.attacks.learned.acting import PAPER
from sparring.attacks.learned.trained_attack import PolicyVersion
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.config.plugins import load_plugins
from sparring.experiments.config.schema import Config
from sparring.experiments.jobs.atomic_files import read_json, translate_os_errors, write_json
from sparring.experiments.jobs.job import Failed, Stopped, stop_file
from sparring.experiments.jobs.observer import never
from sparring.experiments.jobs.resumable import run_job, training_job
from sparring.experiments.jobs.save_pace import SELDOM, SavePace
from sparring.experiments.jobs.snapshots import drop_snapshots, latest_progress
from sparring.experiments.jobs.train_policy import save_policy, train_or_stop
from sparring.experiments.sweeps.dataset_cache import SharedData
from sparring.federation import Scenario
from sparring.games.federated import ATTACKER, attack_game
from sparring.learning.distribution.observed_training import held_examples
from sparring.learning.learner import Learner, train
from sparring.learning.sb3 import SB3Learner, TD3Settings
from sparring.learning.sb3.td3 import largest_buffer
from sparring.learning.search import CountTable, CrossEntropySearch
from sparring.learning.training_env import LearningTask
from sparring.training.backends.threaded import torch_threads

POLICY, RECORD = "policy.safetensors", "lessons.json"
Method = Literal["td3", "search"]
ACTION_SPACES = (LocalSearchActions(), PAPER)
"""The action spaces of the authors' search and of the paper's, since the best one depends on the rule."""
WIDE = LocalSearchActions(scale=(0.1, 100.0), steps=(1, 50), spacing="log")
"""The action space of the policy search: the useful scales span three orders of magnitude."""
METHODS: tuple[tuple[Method, LocalSearchActions], ...] = (
    ("search", WIDE),
    ("td3", ACTION_SPACES[1]),
    ("td3", ACTION_SPACES[0]),
    ("search", replace(WIDE, numbers=3, variant="ascent")),
)
"""How policies are trained, and their action spaces, in turn."""
SETTINGS = TD3Settings()
CEILING = 10.0
"""The loss above which a further increase gives the attacker no reward."""
TIMED = 25
"""The number of steps in each of three timed intervals."""


class TrainingTask(NamedTuple):
    """The action space of a policy, the rounds of an episode, the total number of training steps, and the seed."""

    acting: LocalSearchActions
    rounds: int
    steps: int
    seed: int
    method: Method = "td3"
    """TD3, or the search over actions for each range of the number of malicious clients in a round."""


class TrainingJob(NamedTuple):
    """A policy to train, and its folder."""

    folder: Path
    config: Config
    """A run with the malicious clients that the policy controls."""
    task: TrainingTask
    plugins: tuple[str, ...]
    data: Path
    """The folder of data sets that are already loaded."""


class TrainedPolicy(NamedTuple):
    """A trained policy: its file, and the return of each training episode."""

    policy: Path
    returns: tuple[float, ...]


def is_trained(job: TrainingJob) -> bool:
    """Return whether a policy is already trained."""
    return (job.folder / POLICY).exists()


def train_in_worker(job: TrainingJob) -> Path | Stopped | Failed:
    """Train a policy, or resume its training, and return its file; errors are returned, not raised."""
    return train_or_stop(_train, job, job.folder.parent)


def train_attack(
    scenario: Scenario,
    task: TrainingTask,
    *,
    folder: Path,
    wants_stop: Callable[[], bool] = never,
    pace: SavePace | None = None,
) -> Path:
    """Train a policy for the scenario's malicious clients against its rule, and return the policy's file.

    The defender conducts the audit. The attacker's world model is therefore perfect: the federation itself with other
    random draws. The reward is the increase of the loss on the attackers' own examples.
    """
    game = _make_learning_task(scenario, task)
    learner = _make_learner(task, game, sampled=scenario.federation.sampled)
    job = training_job(learner, game, steps=task.steps, seed=task.seed)
    state = run_job(job, folder, wants_stop=wants_stop, pace=pace)
    chosen = learner.choose(state, game, seed=task.seed)
    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / RECORD, {"steps": chosen.steps, "returns": chosen.returns})
    policy = learner.policies(chosen, game)[ATTACKER]
    save_policy(folder / POLICY, TrainedAttack((PolicyVersion(0, policy),), task.acting))
    drop_snapshots(folder)
    return folder / POLICY


def _make_learner(task: TrainingTask, game: LearningTask, *, sampled: int) -> Learner[Any]:
    """Return the learner of the task's method."""
    if task.method == "td3":
        return SB3Learner(_fit_settings(game, task.steps))
    return CrossEntropySearch(CountTable(sampled), candidates=16, elites=4, episodes=1, trials=2)


def seconds_per_step(scenario: Scenario, *, rounds: int) -> float:
    """Return the time of a training step with the slower action space, including learning and saving.

    Saving takes at most the share that its interval allows.
    """
    training = max(
        _time_step(_make_learning_task(scenario, TrainingTask(acting, rounds, 3 * TIMED, 0)))
        for acting in ACTION_SPACES
    )
    return (1 + SELDOM.share) * training


def _time_step(game: LearningTask) -> float:
    """Return the time of a step, as the minimum of several intervals to exclude delays by other processes."""
    settings = replace(_fit_settings(game, 3 * TIMED), warmup=SETTINGS.pace)
    clock, made = [], []
    for training in train(SB3Learner(settings), game, steps=3 * TIMED, seed=0, every=TIMED):
        clock.append(perf_counter())
        made.append(training.steps)
    laps = zip(pairwise(clock), pairwise(made), strict=True)
    return min((end - begin) / (after - before) for (begin, end), (before, after) in laps)


def steps_made(folder: Path) -> int:
    """Return the training steps of a policy up to its latest snapshot."""
    record = read_json(folder / RECORD)
    return latest_progress(folder) if record is None else int(record["steps"])


def returns_of(folder: Path) -> tuple[float, ...]:
    """Return the return of each training episode of a policy."""
    return tuple(read_json(folder / RECORD)["returns"])


def _train(job: TrainingJob) -> Path:
    config, catalogues = job.config, replace(load_plugins(job.plugins), loaded=SharedData(job.data))
    with torch_threads(config.execution.threads):
        return train_attack(
            build_scenario(config, load_dataset(config, catalogues), catalogues=catalogues),
            job.task,
            folder=job.folder,
            wants_stop=stop_file(job.folder.parent).exists,
        )


def _make_learning_task(scenario: Scenario, task: TrainingTask) -> LearningTask:
    """Return the learning task of the attacker: its seat in a game on the scenario."""
    own = held_examples(scenario)
    game = attack_game(
        replace(scenario, federation=replace(scenario.federation, test=own), attackers=()),
        malicious=sum(len(party.clients) for party in scenario.parties),
        acting=task.acting,
        rounds=task.rounds,
        ceiling=CEILING,
    )
    return LearningTask(game, ATTACKER)


def _fit_settings(game: LearningTask, steps: int) -> TD3Settings:
    """Return settings whose replay buffer holds every step, as far as memory allows."""
    return replace(SETTINGS, buffer=min(max(steps, SETTINGS.batch), SETTINGS.buffer, largest_buffer(game.space)))
