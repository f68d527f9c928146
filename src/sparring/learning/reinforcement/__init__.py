"""Policies by reinforcement learning: TD3 and PPO of Stable-Baselines3, resumable to the bit."""

from sparring.learning.reinforcement.arena import Arena
from sparring.learning.reinforcement.learner import Settings, Training
from sparring.learning.reinforcement.ppo import PPOSettings
from sparring.learning.reinforcement.td3 import MSG, RLA_CODE, TD3Settings
from sparring.learning.reinforcement.train import train

__all__ = ["MSG", "RLA_CODE", "Arena", "PPOSettings", "Settings", "TD3Settings", "Training", "train"]
