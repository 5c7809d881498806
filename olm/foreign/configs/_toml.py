"""Configurations in TOML."""

from __future__ import annotations

from typing import Any

from olm.foreign.configs._source import Source
from olm.problem import Path, SpecError
from olm.text.document import read as read_document


def read(data: str | bytes, name: str) -> Source:
    """The configuration in a TOML text.

    Raises:
        SpecError: the text is invalid.
    """
    document = read_document(data, name)
    if document.problems or not document.readable:
        raise SpecError(document.problems)
    places = document.places

    def place_of(path: Path, at_key: bool) -> Any:
        assert places is not None
        return places.place(path, at_key)

    return Source(document.text, "toml", document.value, place_of)
