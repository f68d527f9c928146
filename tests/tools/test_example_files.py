"""The page of the examples: each script with its source, each notebook with a link."""

import json

from tools.site.example_files import NONE_YET, write_example_pages


def test_a_script_is_shown_below_its_docstring(tmp_path):
    source = '"""Train with Krum.\n\nIt takes a second.\n"""\n\nprint(1)\n'
    (tmp_path / "train_krum.py").write_text(source)
    pages = dict(write_example_pages(tmp_path))
    assert (
        "## Train krum\n\nTrain with Krum.\n\nIt takes a second.\n\n[train_krum.py](examples/train_krum.py)"
        in pages["examples.md"]
    )
    assert f"```python\n{source.strip()}\n```" in pages["examples.md"]
    assert pages["examples/train_krum.py"] == source.encode()


def test_a_notebook_is_linked_below_its_first_cell(tmp_path):
    cells = [{"cell_type": "markdown", "source": ["# A sweep\n", "\n", "On digits."]}]
    (tmp_path / "sweep.ipynb").write_text(json.dumps({"cells": cells}))
    pages = dict(write_example_pages(tmp_path))
    assert "## Sweep\n\nOn digits.\n\n[sweep.ipynb](examples/sweep.ipynb)" in pages["examples.md"]


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    assert dict(write_example_pages(tmp_path))["examples.md"].endswith(NONE_YET)
