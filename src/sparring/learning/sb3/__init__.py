"""Reinforcement learning of policies: TD3 and PPO of Stable-Baselines3, resumable to the last bit."""

from sparring.learning.learner import Training
from sparring.learning.sb3.adapter import Settings
from sparring.learning.sb3.ppo import PPOSettings
from sparring.learning.sb3.td3 import MSG, RLA_CODE, TD3Settings
from sparring.learning.sb3.training import train
from sparring.learning.training_env import LearningTask

__all__ = ["MSG", "RLA_CODE", "LearningTask", "PPOSettings", "Settings", "TD3Settings", "Training", "train"]
