"""Configurations in notebooks: the code cells, read as one Python file."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from olm.foreign.configs._places import NotedPlaces
from olm.foreign.configs._python import values_of
from olm.foreign.configs._source import Source, no_mapping, text_of
from olm.problem import Place, Problem, SpecError
from olm.text.source import Text

_COMMAND = re.compile(r"(\s*)(?:[%!?]|\w+\s*=\s*[%!]).*")
"""A line for IPython, not for Python."""


def read(data: str | bytes, name: str) -> Source:
    """The assignments of the code cells of a notebook, with their places in the notebook.

    Raises:
        SpecError: the text is invalid, or has no code.
    """
    text = text_of(data, name)
    try:
        cells = json.loads(text.content)["cells"]
        code = [line for cell in cells for line in _code(cell)]
    except (ValueError, TypeError, KeyError, RecursionError):
        message = "this is not a notebook: it has no cells in JSON"
        raise SpecError([Problem("syntax", message, place=Place(name, 1, 1, 1))]) from None
    if not code:
        raise SpecError([no_mapping(name)])
    lines = [*_lines_of(text, code)]

    def located(place: Place) -> Place:
        number, start = lines[min(place.line, len(lines)) - 1]
        return place._replace(line=number, column=place.column + start, end=place.end + start)

    joined = Text(name, "\n".join(code))
    places = NotedPlaces(text)
    try:
        tree = ast.parse(joined.content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = located(Place(name, getattr(error, "lineno", None) or 1, 1, 1))
        message = f"this is not Python: {getattr(error, 'msg', None) or 'it is nested too deep'}"
        raise SpecError([Problem("syntax", message, place=place)]) from None
    return Source(text, "notebook", values_of(tree, joined, places, located), places)


def _code(cell: dict[str, Any]) -> Iterator[str]:
    """The lines of a code cell, without those that are not Python."""
    source = cell["source"]
    lines = ("".join(source) if isinstance(source, list) else source).splitlines()
    if cell["cell_type"] != "code" or (lines and lines[0].startswith("%%")):
        return
    for line in lines:
        command = _COMMAND.fullmatch(line)
        yield f"{command[1]}pass" if command else line


def _lines_of(text: Text, code: list[str]) -> Iterator[tuple[int, int]]:
    """For each line of code, its line in the notebook and how far its text is to the right."""
    number = 1
    notebook = text.content.splitlines()
    for line in code:
        wanted = json.dumps(line, ensure_ascii=False)[1:-1]
        for index in range(number - 1, len(notebook)):
            column = notebook[index].find(f'"{wanted}') if line.strip() else -1
            if column >= 0:
                number = index + 1
                yield number, column + 1
                number += 1
                break
        else:
            yield max(number - 1, 1), 0
