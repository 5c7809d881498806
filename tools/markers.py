"""The parts of a page that tools write, each between two markers."""

import sys


def between(marker: str, new: str, page: str) -> str:
    """A page with a new part between two markers, which stay.

    >>> between("bench", "new", "before <!-- bench -->old<!-- /bench --> after").split()
    ['before', '<!--', 'bench', '-->', 'new', '<!--', '/bench', '-->', 'after']
    """
    start, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    before, opened, rest = page.partition(start)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        sys.exit(f"the page must have the lines {start} and {end}")
    return f"{before}{start}\n{new}\n{end}{after}"
