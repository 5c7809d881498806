"""Hyperparameters in Markdown, as the model cards of transformers' Trainer list them."""

from __future__ import annotations

import re

from olm.foreign.configs._places import NotedPlaces
from olm.foreign.configs._source import Source, no_mapping, text_of
from olm.problem import Place, SpecError
from olm.text.scalars import plain

_ITEM = re.compile(r"\s*[-*]\s+[`*]*(\w+)[`*]*\s*:\s*[`*]*(.*?)[`*]*\s*")
_HEADING = re.compile(r"#+\s")


def read(data: str | bytes, name: str) -> Source:
    """The items ``- name: value`` below the first heading that mentions hyperparameters.

    Without such a heading, all items of the text.

    Raises:
        SpecError: the text is invalid, or has no such item.
    """
    text = text_of(data, name)
    places = NotedPlaces(text)
    lines = text.content.splitlines()
    first, last = _section(lines)
    value: dict[str, object] = {}
    for number, line in enumerate(lines[first:last], first + 1):
        item = _ITEM.fullmatch(line)
        if item is None or item[1] in value:
            continue
        value[item[1]] = _scalar(item[2])
        key = Place(name, number, item.start(1) + 1, item.end(1) + 1)
        places.note((item[1],), key, Place(name, number, item.start(2) + 1, item.end(2) + 1))
    if not value:
        raise SpecError([no_mapping(name)])
    return Source(text, "markdown", value, places)


def _section(lines: list[str]) -> tuple[int, int]:
    """The first line below the heading, and the line of the next heading."""
    for index, line in enumerate(lines):
        if _HEADING.match(line) and "hyperparameter" in line.lower():
            following = (i for i in range(index + 1, len(lines)) if _HEADING.match(lines[i]))
            return index + 1, next(following, len(lines))
    return 0, len(lines)


def _scalar(text: str) -> object:
    try:
        return plain(text)
    except ValueError:
        return text
