"""Integrations of other runtimes: each needs an extra, and is imported only when it is selected."""

from importlib.util import find_spec

from sparring.errors import ConfigError
from sparring.registry import Table, lookup

INTEGRATIONS: Table = {
    "ray": "sparring.integrations.ray_workers:RayWorkers",
    "tensorboard": "sparring.integrations.event_file:EventFile",
}
"""The class for each extra; an extra is named after the package that it installs."""


def integration(extra: str) -> type:
    """Return the class for an extra; if the extra is missing, raise an error that says what to install."""
    if find_spec(extra) is None:
        raise ConfigError(f'{extra} is not installed; use pip install "sparring[{extra}]"')
    return lookup("integration", INTEGRATIONS, extra)
