"""Defenses whose numbers a policy sets, round by round."""
