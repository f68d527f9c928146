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


def example_pages(folder: Path = EXAMPLES) -> Iterator[tuple[str, str | bytes]]:
    """Return the page that shows the scripts and links to the notebooks, and each file itself."""
    files = sorted(file for suffix in ("py", "ipynb") for file in folder.glob(f"*.{suffix}"))
    shown = "\n\n".join(_script(file) if file.suffix == ".py" else _notebook(file) for file in files)
    yield "examples.md", HEAD + (f"{shown}\n" if files else NONE_YET)
    for file in files:
        yield f"examples/{file.name}", file.read_bytes()


def _script(file: Path) -> str:
    """Show a script, whose docstring's first line is its title."""
    source = file.read_text(encoding="utf-8")
    headline, _, rest = (ast.get_docstring(ast.parse(source)) or file.stem).partition("\n\n")
    said = f"{rest}\n\n" if rest else ""
    return f"## {headline.rstrip('.')}\n\n{said}[{file.name}](examples/{file.name})\n\n```python\n{source.strip()}\n```"


def _notebook(file: Path) -> str:
    """Link to a notebook under the title in its first cell."""
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    text = "".join(cells[0]["source"]) if cells and cells[0]["cell_type"] == "markdown" else f"# {file.stem}"
    headline, _, rest = text.partition("\n")
    return f"## {headline.lstrip('# ')}\n\n{rest.strip()}\n\n[{file.name}](examples/{file.name}), to open in Jupyter."
