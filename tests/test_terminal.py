"""Output on a terminal: excerpts with carets, colours and progress."""

import os
import re
import sys
from argparse import Namespace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from olm.cli import main
from olm.cli.excerpt import WIDTH, picture
from olm.cli.terminal import Paint, Progress, columns, visible, wants_colour
from olm.problem import Place, Problem
from olm.text.source import Text


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {"TERM": "xterm"}, True),
        (False, {"TERM": "xterm"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_are_for_terminals_or_on_request(terminal, environment, coloured, monkeypatch):
    monkeypatch.setattr(os, "environ", environment)
    assert wants_colour(Namespace(isatty=lambda: terminal)) is coloured


def test_colours_change_nothing_but_colours(tmp_path, monkeypatch, capsys):
    (tmp_path / "a.olm.yaml").write_text("kind: LinearLR\ntotal_step: 100\n")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    main(["check", str(tmp_path)])
    plain = capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    main(["check", str(tmp_path)])
    coloured = capsys.readouterr().out
    assert coloured != plain == re.sub(r"\x1b\[[\d;]*m", "", coloured)


@pytest.mark.parametrize(("total", "terminal"), [(1920, True), (100, True), (1920, False)])
def test_progress_is_shown_on_a_terminal_for_many_files(total, terminal, monkeypatch):
    stream = StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress(total)
    progress.at(64)
    progress.clear()
    wanted = "\r64 of 1,920 files\r\x1b[K" if terminal and total > 1000 else ""
    assert stream.getvalue() == wanted


lines = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=300)


@given(lines, st.data())
def test_the_carets_are_under_the_error(line, data):
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start + 1, len(line) + 1))
    text = Text("a.olm.yaml", line)
    place = Place("a.olm.yaml", 1, start + 1, end + 1)
    head, *rest = picture(Problem("x", "wrong", place=place), text, Paint(False))
    assert head == f"a.olm.yaml:1:{start + 1}: error[x]: wrong"
    if not text.line(1):
        assert rest == []
        return
    _, shown, carets = (row.removeprefix("1 | ").removeprefix("  | ") for row in rest)
    indent = len(carets) - len(carets.lstrip())
    assert columns(shown) <= WIDTH + 2
    assert set(carets.strip()) == {"^"}
    marked = visible(text.line(1)[start:end])
    under = [n for n in range(len(shown) + 1) if columns(shown[:n]) == indent]
    assert any(shown[n:].startswith(marked[:1]) for n in under)


@given(st.text())
def test_nothing_that_is_shown_moves_the_cursor(text):
    assert visible(text).isprintable()
    assert len(visible(text)) == len(text)
