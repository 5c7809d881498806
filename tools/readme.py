"""The parts of the README that tools write, each between two markers."""

import sys

from environment import ROOT

README = ROOT / "README.md"


def between(marker: str, new: str, text: str = "") -> str:
    """A text, or the README's, with something new between its two markers, which stay."""
    start, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    text = text or README.read_text()
    before, opened, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        sys.exit(f"README.md must have the lines {start} and {end}")
    return f"{before}{start}\n{new}\n{end}{after}"
