import signal
import time

import pytest

from sparring.cli.progress import follow_training, look_repeatedly


def shown(capsys, folder, steps, total):
    """Return the last line that is shown of policies with so many steps."""
    with follow_training(folder, lambda: steps, total=total):
        pass
    return capsys.readouterr().err.splitlines()[-1]


def test_steps_of_a_few_policies_are_shown(tmp_path, capsys):
    assert shown(capsys, tmp_path, [4, 0, 10], 30) == "step 14/30: steps of each policy: 4, 0, 10"


def test_of_many_policies_it_is_shown_how_many_have_begun(tmp_path, capsys):
    assert shown(capsys, tmp_path, [4, 0, 10, 0, 1], 50) == "step 15/50: 3 of 5 policies started"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_training_to_stop(tmp_path, number):
    with follow_training(tmp_path, lambda: [0], total=10):
        signal.raise_signal(number)
        assert (tmp_path / ".stop").exists()


def test_a_second_signal_does_not_wait(tmp_path):
    with follow_training(tmp_path, lambda: [0], total=10):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_what_is_seen_is_handed_on(monkeypatch):
    monkeypatch.setattr("sparring.cli.progress.GLANCE", 0.001)
    seen = []
    with look_repeatedly(lambda before: seen.append(before) or [len(seen)]):
        deadline = time.monotonic() + 10
        while len(seen) < 3 and time.monotonic() < deadline:
            time.sleep(0.001)
    assert seen == [[], *([place] for place in range(1, len(seen)))]
    assert len(seen) >= 4
