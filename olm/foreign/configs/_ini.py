"""Configurations in the ini syntax of thinc: sections with dots, and values in JSON."""

from __future__ import annotations

import json
import re
from configparser import ConfigParser
from configparser import Error as IniError
from typing import Any

from olm.foreign.configs._interpolation import resolved
from olm.foreign.configs._places import NotedPlaces
from olm.foreign.configs._source import Source, no_mapping, text_of
from olm.problem import Place, Problem, SpecError

_SECTION = re.compile(r"\[([^\]]+)\]\s*")
_KEY = re.compile(r"([^\s=][^=]*?)\s*=\s*(.*)")


def read(data: str | bytes, name: str) -> Source:
    """The sections of an ini text as nested mappings; references ``${a.b}`` are replaced.

    Raises:
        SpecError: the text is invalid, or has no section.
    """
    text = text_of(data, name)
    parser = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#", ";"))
    # configparser documents that keys keep their case with this.
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # it is a method in stubs
    try:
        parser.read_string(text.content)
    except IniError as error:
        place = Place(name, getattr(error, "lineno", None) or 1, 1, 1)
        message = str(error).partition("\n")[0]
        raise SpecError([Problem("syntax", message, place=place)]) from None
    value: dict[str, Any] = {}
    for section in parser.sections():
        inside = value
        for part in section.split("."):
            inside = inside.setdefault(part, {})
            if not isinstance(inside, dict):
                message = f"[{section}] is a section and a key"
                raise SpecError([Problem("syntax", message, place=Place(name, 1, 1, 1))])
        inside.update((key, _value(item)) for key, item in parser.items(section))
    if not value:
        raise SpecError([no_mapping(name)])
    places = NotedPlaces(text)
    _note(places, text.content, name)
    return Source(text, "ini", resolved(value), places)


def _value(text: str) -> Any:
    """A value in JSON, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _note(places: NotedPlaces, content: str, name: str) -> None:
    """Note the line of each section and key."""
    section: tuple[str, ...] = ()
    for number, line in enumerate(content.splitlines(), 1):
        if found := _SECTION.fullmatch(line):
            section = tuple(found[1].split("."))
            place = Place(name, number, 1, len(line.rstrip()) + 1)
            places.note(section, place, place)
        elif found := _KEY.fullmatch(line):
            key = Place(name, number, found.start(1) + 1, found.end(1) + 1)
            value = Place(name, number, found.start(2) + 1, found.end(2) + 1)
            places.note((*section, found[1]), key, value)
