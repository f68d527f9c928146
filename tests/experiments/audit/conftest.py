import pytest

from tests.experiments.audit.asking import audited, shorten


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    """An audit that is finished."""
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        return audited(tmp_path_factory.mktemp("audits") / "audit")
