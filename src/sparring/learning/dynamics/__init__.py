"""Learned dynamics: what attackers who do not see the server expect of the next model and of their reward (AMPO)."""
