"""The page in a real browser: it is shown as it was written, without complaint and without a request."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sparring.experiments.report.html_page import render_page
from sparring.experiments.report.study import read_study

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECONDS = 60

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the browser Chromium")


def shown(html: str, folder: Path, *options: str) -> tuple[str, str]:
    """Return the document that the browser makes of a page, and what its console says."""
    path = folder / "page.html"
    path.write_text(html, encoding="utf-8")
    switches = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        f"--user-data-dir={folder}/user",
    ]
    done = subprocess.run(
        [str(CHROMIUM), *switches, *options, "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def test_the_browser_shows_the_tables_and_pictures_and_has_no_complaint(sweep_folder, tmp_path):
    html = render_page(read_study(sweep_folder))
    document, complaints = shown(html, tmp_path)
    assert complaints == ""
    for part in ("<table>", "<td ", "<svg ", "<details>", '<pre class="command">'):
        assert document.count(part) == html.count(part) > 0
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in document


def test_the_page_lets_nothing_in_that_does_something(sweep_folder, tmp_path):
    intruders = '<script>document.title = "broken in"</script><img src="http://127.0.0.1:9/pixel">'
    html = render_page(read_study(sweep_folder)).replace("</main>", f"{intruders}</main>")
    document, complaints = shown(html, tmp_path)
    assert "<title>broken in" not in document
    assert len(re.findall("Content Security Policy", complaints)) >= 2


def test_the_browser_prints_the_page(sweep_folder, tmp_path):
    paper = tmp_path / "page.pdf"
    shown(render_page(read_study(sweep_folder)), tmp_path, f"--print-to-pdf={paper}")
    assert paper.read_bytes().startswith(b"%PDF")
