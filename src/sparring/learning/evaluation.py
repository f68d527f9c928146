"""Evaluation of policies in test episodes (Li et al., 2022, section 6.3): the newest policy is not always the best."""

from sparring.contracts import Policy
from sparring.errors import ConfigError
from sparring.games.env import SeatEnv
from sparring.learning.training_env import LearningTask
from sparring.random import stream


def evaluate_policy(arena: LearningTask, policy: Policy, *, episodes: int, seed: int) -> float:
    """Return a policy's mean return per episode; equal seeds evaluate all policies in the same episodes."""
    if episodes < 1:
        raise ConfigError(f"episodes is {episodes}; it must be at least 1")
    return sum(_episode_return(arena, policy, seed=seed, episode=episode) for episode in range(episodes)) / episodes


def _episode_return(arena: LearningTask, policy: Policy, *, seed: int, episode: int) -> float:
    env = SeatEnv(arena.game, arena.seat, opponents=arena.opponents)
    env.np_random = stream(seed, "trial", episode)
    (seen, _), gained, is_over = env.reset(), 0.0, False
    while not is_over:
        seen, reward, is_terminated, is_truncated, _ = env.step(policy.act(seen))
        gained, is_over = gained + reward, is_terminated or is_truncated
    return gained
