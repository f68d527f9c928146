"""Experiments: from a configuration to runs on disk, tables and figures."""

from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.overrides import apply_overrides
from sparring.experiments.config.parse import digest, parse_config, to_document
from sparring.experiments.config.plugins import load_plugins
from sparring.experiments.config.schema import Config
from sparring.experiments.config.yaml_reader import parse_document, read_document
from sparring.experiments.jobs.observer import Observer
from sparring.experiments.runs.run import Outcome, resume, run
from sparring.experiments.runs.saved_model import load_model

__all__ = [
    "CATALOGUES",
    "Catalogues",
    "Config",
    "Observer",
    "Outcome",
    "apply_overrides",
    "digest",
    "load_model",
    "load_plugins",
    "parse_config",
    "parse_document",
    "read_document",
    "resume",
    "run",
    "to_document",
]
