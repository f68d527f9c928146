"""One sweep for all tests of reports."""

from pathlib import Path

import pytest

from tests.experiments.report.studies import played


@pytest.fixture(scope="session")
def sweep_folder(tmp_path_factory) -> Path:
    return played(tmp_path_factory.mktemp("größer") / "my sweep")
