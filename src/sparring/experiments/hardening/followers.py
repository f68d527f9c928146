"""The attackers of a hardening that learn: trained before, and with `answers: adapted` in answer to the policy."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sparring.attacks import attack_policy
from sparring.experiments.hardening.context import SUFFIX, HardeningContext, read_policy
from sparring.experiments.hardening.plan import FOLLOWERS
from sparring.experiments.jobs.train_policy import save_policy
from sparring.games.federated import ATTACKER, follower_games
from sparring.games.federated.domain import DomainType
from sparring.learning.meta.follower_answers import FollowerAnswers
from sparring.learning.search import ConstantActions, CrossEntropySearch
from sparring.learning.training_env import LearningTask
from sparring.learning.types_in_turn import TypesInTurn
from sparring.policies import PolicyVersion
from sparring.policies.network import PolicyNetwork

UNSAFE = r"[^A-Za-z0-9_+-]+"
"""What the name of a file leaves out of that of a type."""
ANSWER = CrossEntropySearch(
    ConstantActions(), candidates=4, elites=2, episodes=1, deviation=0.2, fading=10**6, together=2
)
"""A generation of it is an answer to the adapted policy. Its deviation does not fade, since that policy moves."""
ANSWERS = "answers"
"""The folder of the followers as they answered last."""


def train_followers(context: HardeningContext, search: CrossEntropySearch) -> dict[str, PolicyNetwork]:
    """Train the follower of each adaptive type against its fixed rule; what is trained already is read."""
    games = follower_games(context.world.scenario, context.world.domain, context.request.rounds)
    trained, learner = {}, replace(search, calls=context.spread)
    for name, game in games.items():
        context.begin(FOLLOWERS, f"training the attacker of {name}", share=1 / len(games))
        path = follower_file(context.folder, name)
        if not path.exists():
            steps = context.plan.rounds[FOLLOWERS] // len(games)
            task = LearningTask(game, ATTACKER)
            state = context.train(learner, task, f"{FOLLOWERS}/{path.stem}", steps=steps)
            save_follower(path, learner.policies(state, task)[ATTACKER], context.world.domain[name])
        trained[name] = read_policy(path, "attack")
    return trained


def follower_file(folder: Path, kind: str, stage: str = FOLLOWERS) -> Path:
    """Return the file of a follower's policy: as it was trained before, or as it answers."""
    return folder / stage / f"{re.sub(UNSAFE, '-', kind)}{SUFFIX}"


def save_follower(path: Path, policy: PolicyNetwork, kind: DomainType) -> None:
    """Save the policy of a type's follower."""
    assert kind.follower is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    role = kind.follower.role
    save_policy(path, attack_policy([PolicyVersion(0, policy)], role.acting, layers=role.layers))


def answer_by_search(task: LearningTask) -> FollowerAnswers:
    """Return how the followers of a domain answer: by a search from what they were trained to do before."""
    assert isinstance(task.game, TypesInTurn)
    learners = {}
    for place, each in enumerate(task.game.tasks):
        policy = each.opponents.get(ATTACKER)
        if isinstance(policy, PolicyNetwork):
            learners[place] = replace(ANSWER, start=tuple(policy.layers[-1][1].tolist()))
    return FollowerAnswers(learners, ATTACKER)


def save_answers(context: HardeningContext, followers: Mapping[int, PolicyNetwork]) -> None:
    """Save the followers as they answered last, given by the places of their types."""
    kinds = list(context.world.domain.items())
    for place, policy in followers.items():
        name, kind = kinds[place]
        save_follower(follower_file(context.folder, name, ANSWERS), policy, kind)


def list_followers(context: HardeningContext) -> dict[str, str]:
    """Return the files of the followers that defenses are compared against, by their types."""
    stage = ANSWERS if context.answers else FOLLOWERS
    return {name: str(follower_file(context.folder, name, stage)) for name in list_adaptive(context.world.domain)}


def list_adaptive(domain: Mapping[str, DomainType]) -> tuple[str, ...]:
    """Return the types whose attacker learns."""
    return tuple(name for name, each in domain.items() if each.follower is not None)
