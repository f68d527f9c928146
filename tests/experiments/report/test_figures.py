import re

import pytest
from matplotlib.image import imread

from sparring.errors import RunError
from sparring.experiments.report.figures import COLUMN, DPI, PAGE, write_figures
from sparring.experiments.report.study import read_study
from tests.experiments.report.studies import study

AXES = {
    "attack": ["none", "größer <&>"],
    "defense": ["mean", "a rule with quite a long name (option=1.0)"],
    "seed": ["0", "1"],
}


def full(axes):
    return study(
        axes, {(a, d, s): 0.5 + int(s) / 10 for a in axes["attack"] for d in axes["defense"] for s in axes["seed"]}
    )


def inches(path):
    return imread(path).shape[1] / DPI


def test_curves_and_tables_are_written_as_pdf_and_png_as_wide_as_a_column(sweep_folder, tmp_path):
    written = write_figures(read_study(sweep_folder), tmp_path / "figures of today")
    names = [path.name for path in written]
    assert names[:2] == ["curves.pdf", "curves.png"]
    assert {"accuracy-after-the-last-round.pdf", "accuracy-after-the-last-round.png"} <= set(names)
    assert sorted(path.name for path in (tmp_path / "figures of today").iterdir()) == sorted(names)
    for path in written:
        if path.suffix == ".png":
            assert inches(path) == pytest.approx(COLUMN, abs=0.01)
        else:
            assert path.read_bytes().startswith(b"%PDF")


def test_a_table_of_many_columns_is_as_wide_as_a_page(tmp_path):
    axes = AXES | {"attack": [f"attack {place}" for place in range(6)]}
    write_figures(full(axes), tmp_path)
    assert inches(tmp_path / "accuracy-after-the-last-round.png") == pytest.approx(PAGE, abs=0.01)
    assert inches(tmp_path / "curves.png") == pytest.approx(COLUMN, abs=0.01)


def test_fonts_are_of_a_kind_that_publishers_take(tmp_path):
    write_figures(full(AXES), tmp_path)
    for path in tmp_path.glob("*.pdf"):
        content = path.read_bytes()
        assert b"/Type3" not in content.replace(b" ", b"")
        assert b"/Font " in content


def test_equal_studies_give_equal_files(tmp_path):
    for name in ("one", "other"):
        write_figures(full(AXES), tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()
        assert not re.search(rb"/CreationDate", path.read_bytes())


def test_each_part_has_figures_of_its_own(tmp_path):
    axes = {"data": ["digits", "mnist"], **AXES}
    results = {(data, a, d, "0"): 0.5 for data in axes["data"] for a in AXES["attack"] for d in AXES["defense"]}
    names = {path.name for path in write_figures(study(axes, results), tmp_path)}
    assert {"curves-digits.pdf", "curves-mnist.pdf", "accuracy-after-the-last-round-mnist.png"} <= names


@pytest.mark.parametrize("axes", [AXES, {}])
def test_where_nothing_is_complete_nothing_is_drawn(axes, tmp_path):
    assert write_figures(study(axes, {}), tmp_path) == []


def test_a_single_run_has_its_curve(tmp_path):
    assert "curves.pdf" in {path.name for path in write_figures(study({}, {(): 0.3}), tmp_path)}


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="make room or choose another folder"):
        write_figures(study({}, {(): 0.3}), tmp_path / "file" / "figures")
