import sys

import pytest

from sparring.errors import ConfigError
from sparring.integrations import INTEGRATIONS, integration
from tests.integrations.extras import needs


@pytest.mark.parametrize("extra", INTEGRATIONS)
def test_an_extra_that_is_missing_is_asked_for(extra, monkeypatch):
    monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(ConfigError) as caught:
        integration(extra)
    assert str(caught.value) == f'{extra} is not installed; use pip install "sparring[{extra}]"'


@pytest.mark.parametrize("extra", [pytest.param(extra, marks=needs(extra)) for extra in INTEGRATIONS])
def test_an_extra_that_is_installed_adds_a_class(extra):
    module, _, name = INTEGRATIONS[extra].partition(":")
    added = integration(extra)
    assert (added.__module__, added.__name__) == (module, name)
