"""Files beside docs/ that the site shows as well, and links between all of them."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

ROOT = Path(__file__).parents[2]
SHOWN: Mapping[str, str] = {
    "README.md": "start.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "CITATION.cff",
    "LICENSE": "LICENSE.txt",
    "constraints.txt": "constraints.txt",
}
"""Where in the site a file of the repository is shown."""

TARGET = re.compile(r"(?<=\]\()[^)#:\s]+(?=[)#\s])")
"""What a Markdown link leads to, if it is a file."""


def relinked(markdown: str, place: str) -> str:
    """Make links from file to file of the repository links of the site, for a page that stands at `place` in it."""
    origin = next((file for file, shown in SHOWN.items() if shown == place), f"docs/{place}")

    def target(link: re.Match[str]) -> str:
        file = normpath(PurePosixPath(origin).parent / link[0])
        shown = SHOWN.get(file) or file.removeprefix("docs/")
        return relpath(shown, str(PurePosixPath(place).parent)) if (ROOT / file).exists() else link[0]

    return TARGET.sub(target, markdown)
