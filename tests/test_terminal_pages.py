"""The pages of `olm show` in real terminals of several sizes, and without UTF-8."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from terminals import on_a_terminal

SPECS = Path(__file__).parents[1] / "specs"
SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")


def shown(columns, lines, *arguments, status=0, **variables):
    """What the command prints on a terminal of a size."""
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    environment |= {"TERM": "xterm", **variables}
    command = [sys.executable, "-m", "olm", *arguments]
    ended, page = on_a_terminal(command, environment, columns=columns, lines=lines)
    assert ended == status
    return page


@pytest.mark.parametrize(("columns", "lines"), [(40, 24), (80, 24), (200, 60)])
@pytest.mark.parametrize("name", ["llama-2-7b", "resnet-110-cifar10", "deit-small"])
def test_a_page_is_as_wide_as_the_terminal(name, columns, lines):
    page = SEQUENCE.sub("", shown(columns, lines, "show", str(SPECS / f"{name}.olm.yaml")))
    rows = page.splitlines()
    assert max(map(len, rows)) <= columns
    axis = next(line for line in rows if "└" in line)
    assert columns - 6 <= len(axis) <= columns
    assert not [line for line in rows if line != line.rstrip(" \u2800")]
    assert sum("┤" in line for line in rows) >= (11 if lines == 24 else 20)


def test_phases_have_colours_only_where_colours_are_wanted():
    path = str(SPECS / "llama-2-7b.olm.yaml")
    page = shown(80, 24, "show", path)
    assert "\x1b[34mwarm-up\x1b[0m, \x1b[33mdecay\x1b[0m" in page
    assert "\x1b" not in shown(80, 24, "show", path, NO_COLOR="1")


def test_without_utf_8_a_page_is_ascii():
    path = str(SPECS / "resnet-110-cifar10.olm.yaml")
    page = shown(80, 24, "show", path, PYTHONIOENCODING="ascii", NO_COLOR="1")
    assert page.isascii()
    assert "\\u" not in page
    assert "(logarithmic axis)" in page
    assert "1.0e-01 |" in page


def test_a_pipe_has_whole_lines():
    command = [sys.executable, "-m", "olm", "show", str(SPECS / "llama-2-7b.olm.yaml")]
    variables = {**os.environ, "COLUMNS": "40"}
    page = subprocess.run(command, env=variables, capture_output=True, text=True).stdout
    first, _, curve, *_ = page.splitlines()
    assert first.endswith("at step 500,000, which holds.")
    assert len(curve.rstrip()) <= 80


def test_findings_lead_to_their_pages_and_a_star_marks_what_is_fixed(tmp_path):
    path = tmp_path / "a.olm.yaml"
    path.write_text("kind: LinearLR\ntotal_step: 10\n", encoding="utf-8")
    page = shown(80, 24, "check", str(path), status=1)
    link = re.search(r"\x1b\]8;;file://(\S+unknown-field\.md)\x1b\\error\[unknown-field\]", page)
    assert Path(link[1]).read_text(encoding="utf-8").startswith("# unknown-field")
    assert "\x1b]8;;\x1b\\*" in page
    assert "`olm check --fix` can fix it (*)" in page
    assert "*" not in shown(80, 24, "check", str(path), status=1, NO_COLOR="1")
