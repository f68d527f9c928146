"""Tests of an extra are skipped where it is not installed."""

from importlib.util import find_spec

import pytest


def needs(extra: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(find_spec(extra) is None, reason=f'needs {extra}: pip install "sparring[{extra}]"')
