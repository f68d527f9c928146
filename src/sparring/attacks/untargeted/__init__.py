"""Attacks that craft the updates which malicious clients submit."""
