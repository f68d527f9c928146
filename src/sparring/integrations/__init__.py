"""Other runtimes behind our contracts: leaves, each an extra, imported only when it is chosen."""

from importlib.util import find_spec

from sparring.errors import ConfigError
from sparring.registry import Table, lookup

INTEGRATIONS: Table = {
    "ray": "sparring.integrations.ray_workers:RayWorkers",
    "tensorboard": "sparring.integrations.event_file:EventFile",
}
"""What each extra adds; an extra is called by the package that it installs."""


def integration(extra: str) -> type:
    """Return what an extra adds, or say what to install."""
    if find_spec(extra) is None:
        raise ConfigError(f'{extra} is not installed; use pip install "sparring[{extra}]"')
    return lookup("integration", INTEGRATIONS, extra)
