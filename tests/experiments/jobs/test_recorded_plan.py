import pytest

from sparring.errors import ConfigError
from sparring.experiments.jobs.recorded_plan import PlanFile

FILE = PlanFile("job.json", "sparring_job", 2, "job")


def test_a_plan_is_read_as_it_was_recorded(tmp_path):
    assert FILE.read(tmp_path, "abc") is None
    FILE.write(tmp_path, "abc", asked={"seed": 3}, plugins=["mine"], plan={"steps": 7})
    assert FILE.read(tmp_path, "abc") == {"steps": 7}
    assert FILE.content(tmp_path)["asked"] == {"seed": 3}


def test_the_folder_of_another_request_is_refused(tmp_path):
    FILE.write(tmp_path, "abc", asked={}, plugins=[], plan={})
    with pytest.raises(ConfigError, match="holds another job; choose another folder"):
        FILE.read(tmp_path, "def")


def test_another_file_is_none_of_its_own(tmp_path):
    FILE.write(tmp_path, "abc", asked={}, plugins=[], plan={})
    assert PlanFile("job.json", "sparring_job", 3, "job").content(tmp_path) is None
