"""The command line."""

from sparring.cli.main import main

__all__ = ["main"]
