"""Multi-agent learning: cooperative teams whose members share a reward (Li et al., 2023, Coordinated attackers)."""
