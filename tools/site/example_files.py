"""The page of the scripts and notebooks in examples/."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from tools.site.repository import ROOT

EXAMPLES = ROOT / "examples"
HEAD = """# Examples

Whole programs, small enough to read in one go. They lie in `examples/` of the repository, and the tests run them.

"""
NONE_YET = "There are none yet; the [first run](start.md) has one of a few lines.\n"
"""Stands in for the examples where the folder is empty."""


def write_example_pages(folder: Path = EXAMPLES) -> Iterator[tuple[str, str | bytes]]:
    """Return the page that shows the scripts and links to the notebooks, and each file itself."""
    files = sorted(file for suffix in ("py", "ipynb") for file in folder.glob(f"*.{suffix}"))
    shown = "\n\n".join(_script(file) if file.suffix == ".py" else _notebook(file) for file in files)
    yield "examples.md", HEAD + (f"{shown}\n" if files else NONE_YET)
    for file in files:
        yield f"examples/{file.name}", file.read_bytes()


def _script(file: Path) -> str:
    """Show a script below what its docstring says."""
    source = file.read_text(encoding="utf-8")
    description = ast.get_docstring(ast.parse(source)) or ""
    return (
        f"## {_title(file)}\n\n{description}\n\n[{file.name}](examples/{file.name})\n\n```python\n{source.strip()}\n```"
    )


def _notebook(file: Path) -> str:
    """Link to a notebook below what its first cell says after the title."""
    first, *_ = json.loads(file.read_text(encoding="utf-8"))["cells"]
    description = "".join(first["source"]).partition("\n")[2].strip() if first["cell_type"] == "markdown" else ""
    return f"## {_title(file)}\n\n{description}\n\n[{file.name}](examples/{file.name}), to open in Jupyter."


def _title(file: Path) -> str:
    return file.stem.replace("_", " ").capitalize()
