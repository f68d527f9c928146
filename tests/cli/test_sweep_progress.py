from sparring.cli.progress import follow_sweep
from sparring.experiments.jobs.job import Failed, Stopped
from sparring.experiments.sweeps import Completed, plan_sweep
from tests.experiments.sweeps.grids import IPM, LMP, NO_ATTACK, grid


def test_a_sweep_is_followed_run_by_run(tmp_path, capsys):
    cells = plan_sweep(grid(attack=[NO_ATTACK, IPM, LMP])).cells
    endings = (Completed({"accuracy": 0.25}, ("its versions differ",)), Failed("out of memory"), Stopped())
    with follow_sweep(tmp_path, 2) as observer:
        observer.expect(0)
        observer.expect(3)
        for cell, ending in zip(cells, endings, strict=True):
            observer.ended(cell, ending)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "run 0/3: 2 running, 0 failed; starting",
        "sparring: its versions differ",
        "run 1/3: 2 running, 0 failed; none: accuracy 0.250",
        "sparring: ipm (malicious=2) failed: out of memory",
        "run 2/3: 1 running, 1 failed; ipm (malicious=2): failed",
        "run 3/3: 0 running, 1 failed; lmp (malicious=2): stopped",
    ]
