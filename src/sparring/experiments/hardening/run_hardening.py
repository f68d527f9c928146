"""Harden: learn a defense against a domain of attacks in a simulation, and compare it; each stage resumes."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from sparring.arrays import FloatArray
from sparring.contracts import Space
from sparring.defenses import LearnedDefense, defense_policy
from sparring.errors import ConfigError
from sparring.experiments.config.build import load_dataset
from sparring.experiments.hardening.card import make_card
from sparring.experiments.hardening.comparison import (
    FINALISTS,
    ComparedWorld,
    Contender,
    DefenseScores,
    compare_defenses,
    table_from_json,
    table_to_json,
)
from sparring.experiments.hardening.context import SUFFIX, HardeningContext, read_policy
from sparring.experiments.hardening.curves import read_curves
from sparring.experiments.hardening.followers import (
    answer_by_search,
    list_adaptive,
    list_followers,
    save_answers,
    train_followers,
)
from sparring.experiments.hardening.plan import (
    COMPARISON,
    CONSTANT,
    LEARNED,
    NAME,
    POLICY,
    HardeningPlan,
    make_plan,
    read_plan,
    write_plan,
)
from sparring.experiments.hardening.report import Made, constant_sections, hardening_page
from sparring.experiments.hardening.request import HardeningRequest
from sparring.experiments.hardening.verdict import UNTRAINED, HardeningVerdict, judge_hardening
from sparring.experiments.hardening.world import simulate_world
from sparring.experiments.jobs.atomic_files import (
    PARTIAL,
    admit_writing,
    read_json,
    refuse_other_files,
    write,
    write_json,
)
from sparring.experiments.jobs.job import stop_file
from sparring.experiments.jobs.process_pool import parallel_calls, pinned_calls
from sparring.experiments.jobs.train_policy import save_policy
from sparring.experiments.runs.run_folder import LOCK, lock_folder
from sparring.experiments.sweeps.follower import Follower, NoFollower
from sparring.games.federated import DEFENDER, typed_games
from sparring.learning.actor_critic.updates import UpdateSettings
from sparring.learning.evaluation import Playing, episode_returns, evaluate_policy
from sparring.learning.meta.actor_critic_reptile import ReptileActorCritic
from sparring.learning.search import ConstantActions, CrossEntropySearch
from sparring.learning.training_env import LearningTask
from sparring.learning.types_in_turn import TypesInTurn
from sparring.learning.yardstick import defender_tasks
from sparring.policies import PolicyVersion
from sparring.policies.encoder import ProjectionEncoder, random_projection
from sparring.policies.network import PolicyNetwork, constant_policy
from sparring.random import stream
from sparring.training.backends.threaded import torch_threads

REPORT, SCORES, CARD = "report.html", "comparison.json", "card.json"
FOLDER = ".hardening"
"""The suffix of the folder beside the policy, with all that it was made from."""
SEARCH = CrossEntropySearch(ConstantActions(), candidates=12, elites=3, episodes=1, deviation=0.4, trials=2, together=3)
TRIED = 2
"""Common episodes in which the start of the search is chosen."""
META = ReptileActorCritic(
    settings=UpdateSettings(hidden=(64, 64)), batch=128, memory=5000, imitation=500, critic_updates=300, trials=4
)
LARGE, FEATURES = 256, 64
"""Observations longer than the first are projected to the second."""


def folder_of(out: Path) -> Path:
    """Return the folder of a hardening whose policy is written to `out`."""
    return out.with_suffix(FOLDER)


class Hardened(NamedTuple):
    """A finished hardening."""

    policy: Path
    folder: Path
    plan: HardeningPlan
    verdict: HardeningVerdict

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / REPORT

    @property
    def constant(self) -> Path:
        """The best constant action, as a policy."""
        return self.folder / f"{CONSTANT}{SUFFIX}"


def search_constant_action(context: HardeningContext, task: LearningTask) -> PolicyNetwork:
    """Search the best constant action over the domain, or read what was found."""
    path, settings = context.folder / f"{CONSTANT}{SUFFIX}", context.request.settings
    context.begin(CONSTANT, "searching the best constant action")
    if not path.exists():
        start = tuple(find_start(context, task).tolist())
        search = replace(SEARCH, start=start, calls=context.spread, racing=settings.racing and settings.over == "worst")
        if search.racing:
            # As the first policy plays alone, two episodes keep two processes busy.
            search, task = replace(search, episodes=2), hardest_first(context, task, start)
        state = context.train(search, task, CONSTANT, steps=context.plan.rounds[CONSTANT])
        _save(context, path, search.policies(state, task)[task.seat])
    return read_policy(path)


def find_start(context: HardeningContext, task: LearningTask) -> FloatArray:
    """Return the best action in common episodes: one that stands for a fixed rule, or the middle of all ranges."""
    actions = [np.zeros(task.space.action, dtype=np.float32), *context.world.terms.acting.anchors.values()]
    policies = [SEARCH.family.policy(torch.from_numpy(action), task.space) for action in actions]
    returns, _ = episode_returns(
        task,
        policies,
        numbers=range(TRIED),
        seed=context.seed,
        name="start",
        playing=Playing(context.spread, SEARCH.together),
    )
    return actions[int(returns.sum(dim=1).argmax())]


def hardest_first(context: HardeningContext, task: LearningTask, action: tuple[float, ...]) -> LearningTask:
    """Return the task with its types from the one with the lowest return of an action on."""
    assert isinstance(task.game, TypesInTurn)
    turns = list(zip(task.game.tasks, task.game.weights, strict=True))
    policy = SEARCH.family.policy(torch.tensor(action), task.space)
    measure = partial(evaluate_policy, policy=policy, episodes=1, seed=context.seed)
    returns = list(context.spread(measure, [each for each, _ in turns]))
    order = sorted(range(len(turns)), key=lambda place: (returns[place], place))
    tasks, weights = zip(*(turns[place] for place in order), strict=True)
    return replace(task, game=replace(task.game, tasks=tasks, weights=weights))


def learn_policy(context: HardeningContext, task: LearningTask, start: PolicyNetwork) -> PolicyNetwork:
    """Learn a policy across the types, from a constant action on, or read what was learned."""
    path = context.folder / f"{POLICY}{SUFFIX}"
    context.begin(POLICY, "learning a policy across the types")
    if not path.exists():
        with pinned_calls(context.workers) as pinned:
            encoder = _choose_encoder(context, task.space)
            learner = replace(META, start=_encode(start, encoder), encoder=encoder, calls=pinned)
            learner = replace(learner, answers=answer_by_search(task) if context.answers else None)
            state = context.train(learner, task, POLICY, steps=context.plan.rounds[POLICY])
        save_answers(context, learner.followers(state, task))
        _save(context, path, learner.policies(state, task)[task.seat])
    return read_policy(path)


def _choose_encoder(context: HardeningContext, space: Space) -> ProjectionEncoder | None:
    """Return the encoder of the observations for a policy's network; None passes small ones as they are."""
    if space.observation <= LARGE:
        return None
    return random_projection(space.observation, FEATURES, rng=stream(context.seed, "projection"))


def _encode(constant: PolicyNetwork, encoder: ProjectionEncoder | None) -> PolicyNetwork:
    """Return a policy with a constant action on encoded observations, so that a memory need not hold others."""
    if encoder is None:
        return constant
    ((_, action),) = constant.layers
    return PolicyNetwork(((torch.zeros(len(action), FEATURES), action),), squash=constant.squash, encoder=encoder)


def _save(context: HardeningContext, path: Path, policy: PolicyNetwork, card: Mapping[str, Any] | None = None) -> None:
    """Save a policy of the defender."""
    saved = defense_policy(
        [PolicyVersion(0, policy)], context.world.terms.acting, layers=context.request.settings.layers
    )
    save_policy(path, replace(saved, card=card))


def compare_learned(context: HardeningContext) -> DefenseScores:
    """Compare the policies in the folder with the fixed rules of the catalogue, or read the comparison."""
    path, settings = context.folder / SCORES, context.request.settings
    policies = {name: LearnedDefense(str(context.folder / f"{name}{SUFFIX}")) for name in (POLICY, CONSTANT, UNTRAINED)}
    defenses: dict[str, Contender] = {**policies, **context.world.rules}
    compared = ComparedWorld(
        context.world.scenario,
        context.world.domain,
        list_followers(context),
        defenses,
        context.request.compared,
        context.seed,
    )
    context.begin(
        COMPARISON, f"comparing {len(defenses)} defenses in {settings.episodes} held-out episodes of each type"
    )
    if not path.exists():
        empty = DefenseScores({}, context.weights, settings.over)
        played = [0]
        total = len(context.weights) * (len(defenses) + (LEARNED + FINALISTS) * (settings.episodes - 1))
        with context.follower.training(context.folder, lambda: [min(total, played[-1])], total=total):
            table = compare_defenses(compared, empty, settings.episodes, context.spread, played.append)
        write_json(path, table_to_json(table))
    return table_from_json(read_json(path))


HERE = 1
NOBODY = NoFollower()


def harden(request: HardeningRequest, out: str | Path, *, workers: int = HERE, follower: Follower = NOBODY) -> Hardened:
    """Learn a defense, compare it, and write the policy to `out`; or resume the same hardening with the same bytes.

    The folder beside the policy keeps everything that it was made from, and the page.
    """
    out = Path(out)
    folder = folder_of(out)
    _admit(out, folder)
    dataset = load_dataset(request.config, request.catalogues)
    with torch_threads(request.config.execution.threads):
        world = simulate_world(request, dataset)
        recorded = read_plan(folder, request)
        if recorded is None:
            follower.begin("measuring how long a round takes")
        plan = make_plan(request, world, workers) if recorded is None else recorded
        with lock_folder(folder), parallel_calls(workers) as calls:
            write_plan(folder, request, plan)
            stop_file(folder).unlink(missing_ok=True)
            context = HardeningContext(request, world, folder, plan, workers, calls, follower)
            with follower.whole(plan.seconds):
                table = _run_stages(context)
            verdict = judge_hardening(table, world.rules)
            done = Hardened(out, folder, plan, verdict)
            action = world.terms.acting.decode(constant_action(done.constant))
            made = Made(
                request,
                plan,
                verdict,
                constant_sections(request, action),
                world.left_out,
                read_curves(folder, list_adaptive(world.domain)),
            )
            write(done.report, hardening_page(made).encode())
            card = make_card(request, plan, verdict)
            write_json(folder / CARD, card)
            _save(context, out, read_policy(folder / f"{POLICY}{SUFFIX}"), card)
    return done


def constant_action(path: Path) -> FloatArray:
    """Return the action of a policy that answers everything alike."""
    action: FloatArray = read_policy(path).layers[-1][1].clamp(-1, 1).numpy()
    return action


def _run_stages(context: HardeningContext) -> DefenseScores:
    followers = train_followers(context, SEARCH)
    games = typed_games(context.world.scenario, context.world.domain, context.world.terms)
    tasks = defender_tasks(games, followers)
    together = TypesInTurn(
        list(tasks.values()), [context.weights[name] for name in tasks], context.request.settings.over
    )
    task = LearningTask(together, DEFENDER)
    _save(context, context.folder / f"{UNTRAINED}{SUFFIX}", constant_policy(task.space))
    learn_policy(context, task, search_constant_action(context, task))
    return compare_learned(context)


def _admit(out: Path, folder: Path) -> None:
    """Reject a path that is no policy's, a folder that holds something else, and what is not writable."""
    if out.suffix != SUFFIX:
        raise ConfigError(f"out is {str(out)!r}; it must end in {SUFFIX}")
    if not (folder / NAME).exists():
        if out.exists():
            raise ConfigError(f"{out} exists, and {folder} holds no hardening; choose another --out")
        refuse_other_files(folder, {LOCK, NAME + PARTIAL}, what="holds no hardening; choose another --out")
    admit_writing(folder)
