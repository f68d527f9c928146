"""The page of the examples: each script with its source, each notebook with a link."""

import json

from tools.site.example_files import NONE_YET, example_pages


def test_a_script_is_shown_under_its_docstring(tmp_path):
    source = '"""Train with Krum.\n\nIt takes a second.\n"""\n\nprint(1)\n'
    (tmp_path / "krum.py").write_text(source)
    pages = dict(example_pages(tmp_path))
    assert "## Train with Krum\n\nIt takes a second.\n\n[krum.py](examples/krum.py)" in pages["examples.md"]
    assert f"```python\n{source.strip()}\n```" in pages["examples.md"]
    assert pages["examples/krum.py"] == source.encode()


def test_a_notebook_is_linked_under_its_first_cell(tmp_path):
    cells = [{"cell_type": "markdown", "source": ["# A sweep\n", "\n", "On digits."]}]
    (tmp_path / "sweep.ipynb").write_text(json.dumps({"cells": cells}))
    pages = dict(example_pages(tmp_path))
    assert "## A sweep\n\nOn digits.\n\n[sweep.ipynb](examples/sweep.ipynb)" in pages["examples.md"]


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    assert dict(example_pages(tmp_path))["examples.md"].endswith(NONE_YET)
