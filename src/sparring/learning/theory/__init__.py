"""Theoretical bounds on learned attacks."""
