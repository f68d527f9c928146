"""Hardening: a learned defense for a federation, against a whole domain of attacks."""
