"""Configurations in YAML, JSON and TOML."""

from __future__ import annotations

import re
from typing import Any

from olm.foreign.configs._source import Source
from olm.problem import Path, SpecError
from olm.text.document import read as read_document

_FRAGMENT = re.compile(r'\s*"[^"]+"\s*:')
"""The beginning of the inside of a JSON object."""


def read(data: str | bytes, name: str) -> Source:
    """The configuration in a YAML or JSON text, also in the inside of a JSON object, or in TOML.

    Raises:
        SpecError: the text is invalid.
    """
    if isinstance(data, bytes) and _FRAGMENT.match(data[:200].decode("utf-8", "replace")):
        data = b"{" + data.rstrip().rstrip(b",") + b"}"
    document = read_document(data, name)
    if document.problems or not document.readable:
        raise SpecError(document.problems)
    places = document.places

    def place_of(path: Path, at_key: bool) -> Any:
        assert places is not None
        return places.place(path, at_key)

    form = "toml" if name.endswith(".toml") else "yaml"
    return Source(document.text, form, document.value, place_of)
