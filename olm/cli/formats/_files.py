"""Reports in several formats, all but one of them in files, and statistics."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from olm.checking.check import Checked
from olm.cli import Misuse
from olm.cli.files.search import SUFFIXES
from olm.cli.formats import Look, Output, named
from olm.cli.terminal import Paint
from olm.problem import clipped, listed
from olm.text.document import Document
from olm.text.source import Text
from olm.text.write import write_whole

PLAIN = ("concise", "text")
"""The formats whose place statistics may take."""


def with_files(
    outputs: Sequence[Output], statistics: bool, checked: Sequence[str]
) -> Callable[[Iterable[Checked], Look], Iterator[str]]:
    """What writes the files and returns the report for standard output.

    Args:
        outputs: the reports.
        statistics: whether to print statistics instead of the findings.
        checked: the files that are checked, which no report may overwrite.

    Raises:
        Misuse: two reports have the same destination, or one would overwrite a spec.
    """
    reports = [(output.format or "text", output.file) for output in outputs]
    shown = [form for form, file in reports if file is None]
    files = [(form, file) for form, file in reports if file is not None]
    if len(shown) > 1:
        raise Misuse(f"--format {listed(shown)}: all but one need an --output-file after them")
    if statistics and not {*shown} <= {*PLAIN}:
        raise Misuse(f"--statistics prints text: give --format {shown[0]} an --output-file")
    _must_be_free([file for _, file in files], checked)
    on_screen = ["_statistics"] if statistics else shown

    def report(results: Iterable[Checked], look: Look) -> Iterator[str]:
        kept: list[Checked] = []
        results = _keeping(results, kept) if files else results
        for form in on_screen:
            yield from named(form).report(results, look)
        # Without a report on the screen, the files are still to be checked.
        for _ in results:
            pass
        for form, file in files:
            pieces = named(form).report(kept, look._replace(paint=Paint(False)))
            _write(file, "".join(pieces))

    return report


def _write(file: str, text: str) -> None:
    try:
        write_whole(file, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise Misuse(f"cannot write {clipped(file)}: {why}") from None


def _must_be_free(files: Sequence[str], checked: Sequence[str]) -> None:
    specs = {os.path.realpath(path) for path in checked}
    for file in files:
        if files.count(file) > 1:
            raise Misuse(f"--output-file {clipped(file)} is given twice")
        if file.endswith(SUFFIXES) or os.path.realpath(file) in specs:
            raise Misuse(f"--output-file {clipped(file)} would overwrite a spec")


def _keeping(results: Iterable[Checked], kept: list[Checked]) -> Iterator[Checked]:
    """The same results, kept without their specs and the places of their values."""
    for result in results:
        text = result.text if result.problems else Text(result.file, "")
        document = Document(text, readable=result.document.readable)
        kept.append(replace(result, document=document, spec=None, counted=None))
        yield result
