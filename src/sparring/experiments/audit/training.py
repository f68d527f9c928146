"""Train attackers against a rule in a simulation of the federation, resumable after any interrupt."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any, NamedTuple

import torch

from sparring.attacks import LearnedAttack, TeamActions, attack_policy
from sparring.attacks.learned.acting import ActionDecoder
from sparring.contracts import Policy
from sparring.experiments.audit.contenders import (
    FURTHER,
    TD3,
    Contender,
    count_table,
    search_of,
    td3_from,
)
from sparring.experiments.audit.goals import GOALS, UNTARGETED, Goal, fit_actions
from sparring.experiments.audit.team_contenders import TeamContender
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.config.plugins import load_plugins
from sparring.experiments.config.schema import Config
from sparring.experiments.jobs.atomic_files import read_json, translate_os_errors, write_json
from sparring.experiments.jobs.job import Failed, Stopped, stop_file
from sparring.experiments.jobs.observer import never
from sparring.experiments.jobs.resumable import run_job, training_job
from sparring.experiments.jobs.save_pace import SELDOM, SavePace
from sparring.experiments.jobs.snapshots import latest_progress, save_snapshot
from sparring.experiments.jobs.train_policy import save_policy, train_or_stop
from sparring.experiments.sweeps.dataset_cache import SharedData
from sparring.federation import Attacker, Scenario
from sparring.games.federated import ATTACKER, AttackerSeat, AttackType, FederatedGame, SeatControlled, team_of
from sparring.games.federated.seats import Gain
from sparring.learning.evaluation import EpisodeCall, episode_returns, play_episode
from sparring.learning.learner import Learner
from sparring.learning.search import CountTable
from sparring.learning.training_env import LearningTask
from sparring.policies import Features, PolicyVersion
from sparring.policies.team import seat_policy
from sparring.training.backends.threaded import torch_threads

Acting = ActionDecoder | TeamActions
"""The action space of an attacker, or of a team."""
POLICY, RECORD = "policy-{steps}.safetensors", "training-{steps}.json"
"""The files of a policy after a number of training steps: a training may go on from there."""
SELECTION_EPISODES = 32
"""Common episodes in which trained policies are compared."""
COMPARED, TOLD = "compared.json", 4
"""A file with the common episodes that are played, for the progress, which is written after every few of them."""
TIMED = 25
"""Steps of a contender that are timed."""


class TrainingTask(NamedTuple):
    """What is trained: a contender, or TD3 from a policy; the rounds of an episode, the total steps, and the seed."""

    name: str
    rounds: int
    steps: int
    seed: int
    start: Path | None = None
    """The policy that TD3 starts from."""
    goal: str = UNTARGETED.name
    """What the attackers want, by its name in `GOALS`."""


class TrainingJob(NamedTuple):
    """A policy to train, and its folder."""

    folder: Path
    config: Config
    """A run with the malicious clients that the policy controls."""
    task: TrainingTask
    plugins: tuple[str, ...]
    data: Path
    """The folder of data sets that are already loaded."""

    @property
    def record(self) -> Path:
        """The file that says how the training went; it is written last."""
        return self.folder / RECORD.format(steps=self.task.steps)


class TrainedPolicy(NamedTuple):
    """A trained policy: its file, and what its record says."""

    policy: Path
    returns: tuple[float, ...]
    """The mean return of each generation of a search, or the return of each episode of TD3."""
    steps: int
    harm: float
    """The mean value of the objective at the end of the common episodes: the share of misclassified examples, or the
    score of the backdoor."""


def is_trained(job: TrainingJob) -> bool:
    """Return whether a policy is already trained for as many steps as the job asks for."""
    return job.record.exists()


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
    random draws. A return is the value of the goal's objective, such as the error on the attackers' own examples,
    summed over the rounds; policies are compared by the value at the end. A training with more steps in the same folder
    continues this one.
    """
    acting, learner, features = _make_learner(task, scenario)
    game = make_learning_task(scenario, acting, rounds=task.rounds, goal=GOALS[task.goal], features=features)
    job = training_job(learner, game, steps=task.steps, seed=task.seed)
    state = run_job(job, folder, wants_stop=wants_stop, pace=pace)
    assert state is not None
    chosen = learner.choose(state, game, seed=task.seed)
    policy = learner.policies(chosen, game)[ATTACKER]
    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    judged = make_learning_task(
        scenario, acting, rounds=task.rounds, gain="end", goal=GOALS[task.goal], features=features
    )
    harm = _final_harm(judged, seat_policy(policy, judged.space), task, folder=folder)
    save_snapshot(folder, job.codec.pack(state), progress=state.steps)
    path = folder / POLICY.format(steps=task.steps)
    save_policy(path, attack_policy([PolicyVersion(0, policy)], acting, features=features))
    record = {"policy": path.name, "steps": chosen.steps, "returns": chosen.returns, "harm": harm}
    write_json(folder / RECORD.format(steps=task.steps), record)
    return path


def seconds_per_step(scenario: Scenario, *, rounds: int, goal: Goal = UNTARGETED) -> float:
    """Return the time of a training step, as the mean over the contenders at their first action, including saving.

    Saving takes at most the share that its interval allows.
    """
    laps = [_time_contender(scenario, name, rounds=rounds, goal=goal) for name in goal.contenders]
    return (1 + SELDOM.share) * fmean(laps)


def steps_made(folder: Path) -> int:
    """Return the training steps of a policy up to its latest snapshot."""
    return latest_progress(folder)


def steps_to_compare(task: TrainingTask) -> int:
    """Return the steps of the comparison that follows a training: at most as many as its episodes have rounds."""
    return SELECTION_EPISODES * task.rounds


def count_progress(job: TrainingJob, steps: int) -> int:
    """Return how many of a job's last `steps`, and of those of the comparison after them, are done."""
    if is_trained(job):
        return steps + steps_to_compare(job.task)
    compared = read_json(job.folder / COMPARED)
    if isinstance(compared, dict) and compared["steps"] == job.task.steps:
        return steps + int(compared["episodes"]) * job.task.rounds
    return min(steps, max(0, steps_made(job.folder) - (job.task.steps - steps)))


def read_trained(record: Path) -> TrainedPolicy:
    """Return the policy that a record describes."""
    content = read_json(record)
    policy = record.parent / content["policy"]
    return TrainedPolicy(policy, tuple(content["returns"]), content["steps"], content["harm"])


def read_best(folder: Path) -> TrainedPolicy:
    """Return the best policy in a folder; among equal ones, that of the shortest training."""
    records = sorted(map(read_trained, folder.glob(RECORD.format(steps="*"))), key=lambda trained: trained.steps)
    return max(records, key=lambda trained: trained.harm)


def make_learning_task(
    scenario: Scenario,
    acting: Acting,
    *,
    rounds: int,
    gain: Gain = "level",
    goal: Goal = UNTARGETED,
    features: Features | None = None,
) -> LearningTask:
    """Return the learning task of the attackers: their seat in a game on the scenario, with the goal's objective."""
    parties = scenario.parties
    malicious, start = sum(len(party.clients) for party in parties), min(party.attacker.start for party in parties)
    kind = AttackType((Attacker(malicious, SeatControlled(ATTACKER), start=start),))
    seat = AttackerSeat(acting, goal.objective(scenario), gain, is_deployed=goal.is_deployed, features=features)
    return LearningTask(FederatedGame(replace(scenario, attackers=()), (kind,), {ATTACKER: seat}, rounds), ATTACKER)


def _final_harm(game: LearningTask, policy: Policy, task: TrainingTask, *, folder: Path) -> float:
    """Return the mean value of the objective at the end of the common episodes; a file tells how many are played."""
    found = []
    for first in range(0, SELECTION_EPISODES, TOLD):
        numbers = range(first, min(first + TOLD, SELECTION_EPISODES))
        returns, _ = episode_returns(game, [policy], numbers=numbers, seed=task.seed, name="selection")
        found.append(returns)
        write_json(folder / COMPARED, {"steps": task.steps, "episodes": numbers.stop})
    (folder / COMPARED).unlink(missing_ok=True)
    return float(torch.cat(found, dim=1).mean())


def _make_learner(task: TrainingTask, scenario: Scenario) -> tuple[Acting, Learner[Any], Features | None]:
    """Return the action space of a task, its learner, and what its policies observe beside the model."""
    if task.name != TD3:
        known: Mapping[str, Contender | TeamContender] = {**FURTHER, **GOALS[task.goal].contenders}
        found = known[task.name]
        if isinstance(found, TeamContender):
            team = team_of(scenario.federation, _count_malicious(scenario))
            return TeamActions(found.acting, team), found.learner, None
        contender = _fit(found, scenario)
        return contender.acting, search_of(contender, _table(scenario)), contender.features(task.rounds)
    assert task.start is not None
    best = LearnedAttack(str(task.start))
    return best.acting, td3_from(best.trained.versions[0].policy), best.trained.features


def _fit(contender: Contender, scenario: Scenario) -> Contender:
    return contender._replace(acting=fit_actions(contender.acting, scenario))


def _count_malicious(scenario: Scenario) -> int:
    return sum(len(party.clients) for party in scenario.parties)


def _table(scenario: Scenario) -> CountTable:
    federation = scenario.federation
    return count_table(sampled=federation.sampled, malicious=_count_malicious(scenario), clients=federation.clients)


def _time_contender(scenario: Scenario, name: str, *, rounds: int, goal: Goal) -> float:
    """Return the time of a step with a contender's first action."""
    acting, learner, features = _make_learner(TrainingTask(name, rounds, 0, 0, goal=goal.name), scenario)
    game = make_learning_task(scenario, acting, rounds=rounds, goal=goal, features=features)
    policy = seat_policy(learner.policies(learner.initial(game, seed=0), game)[ATTACKER], game.space)
    # The first use of what transforms functions takes longer than a step.
    play_episode(EpisodeCall([policy], 0, "timing", 0), game)
    steps, begin = 0, perf_counter()
    while steps < TIMED:
        steps += play_episode(EpisodeCall([policy], 0, "timing", steps), game)[0].steps
    return (perf_counter() - begin) / steps


def _train(job: TrainingJob) -> Path:
    config, catalogues = job.config, replace(load_plugins(job.plugins), loaded=SharedData(job.data))
    with torch_threads(config.execution.threads):
        return train_attack(
            build_scenario(config, load_dataset(config, catalogues), catalogues=catalogues),
            job.task,
            folder=job.folder,
            wants_stop=stop_file(job.folder.parent).exists,
        )
