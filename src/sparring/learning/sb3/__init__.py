"""Reinforcement learning of policies: TD3 and PPO of Stable-Baselines3, resumable to the last bit."""

from sparring.learning.sb3.adapter import SB3Learner, SB3Training, Settings
from sparring.learning.sb3.from_start import PPOFromStart
from sparring.learning.sb3.ppo import PPOSettings
from sparring.learning.sb3.td3 import MSG, RLA_CODE, TD3Settings

__all__ = ["MSG", "RLA_CODE", "PPOFromStart", "PPOSettings", "SB3Learner", "SB3Training", "Settings", "TD3Settings"]
