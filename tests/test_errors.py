import re

import numpy as np
import pytest

from sparring.errors import ConfigError, PluginError, RunError, UnknownFolder, attribute_errors


def fails():
    raise KeyError("gone")


def test_who_raised_an_error_is_named_with_its_file_and_line():
    with (
        pytest.raises(PluginError, match=r"^defense Mine raised KeyError: 'gone' \(.*test_errors\.py:10\)$"),
        attribute_errors("defense Mine"),
    ):
        fails()


def test_what_a_player_calls_is_not_where_it_went_wrong():
    with pytest.raises(PluginError) as raised, attribute_errors("defense Mine"):
        np.zeros(2).reshape(3)
    assert re.search(r"\(.*test_errors\.py:\d+\)$", str(raised.value))


def test_an_error_of_ours_is_passed_on_as_it_is():
    error = ConfigError("seed is -1")
    with pytest.raises(ConfigError) as raised, attribute_errors("defense Mine"):
        raise error
    assert raised.value is error


def test_a_folder_of_something_else_is_wrong_usage_too():
    assert issubclass(UnknownFolder, RunError)
    assert issubclass(UnknownFolder, ConfigError)
