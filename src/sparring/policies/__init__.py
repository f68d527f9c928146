"""Policies of learned players, for attackers and defenders."""
