"""Presets of the model-based reinforcement-learning attack (Li, Sun and Zheng, 2022)."""
