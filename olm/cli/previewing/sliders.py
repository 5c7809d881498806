"""The numbers of a file that a page lets its reader try, and the text with other numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from olm.problem import dotted

if TYPE_CHECKING:
    from olm.problem import Path, Place
    from olm.text.document import Document

MOST = 24
"""More numbers than this have no slider."""

LEFT_OUT = frozenset({"expect", "parent"})
"""Keys of a document whose numbers do not change a curve."""


@dataclass(frozen=True)
class Slider:
    """A number of a document."""

    path: Path
    value: int | float

    @property
    def name(self) -> str:
        """Its path as text."""
        return dotted(self.path)

    @property
    def most(self) -> float:
        """The end of its range."""
        return 2 * abs(self.value) or 1

    @property
    def step(self) -> float:
        """The distance of two values of its range."""
        return max(1, round(self.most / 200)) if isinstance(self.value, int) else self.most / 200


def sliders(document: Document) -> list[Slider]:
    r"""The numbers of a document that have a place in its text, in their order.

    >>> from olm.text.document import read
    >>> text = "kind: WarmupLR\nwarmup_steps: 100\nexpect: {base_lr: 0.5}\n"
    >>> [one.name for one in sliders(read(text, "a.yaml"))]
    ['warmup_steps']
    """
    if document.places is None or not isinstance(document.value, dict):
        return []
    kept = {key: value for key, value in document.value.items() if key not in LEFT_OUT}
    found = (Slider(path, value) for path, value in _numbers(kept, ()))
    return [one for one in found if document.places.has(one.path)][:MOST]


def changed(document: Document, values: Mapping[str, str]) -> str:
    r"""The text of a document with other numbers; what is no number of it is ignored.

    >>> from olm.text.document import read
    >>> document = read("kind: WarmupLR\nwarmup_steps: 100  # short\n", "a.yaml")
    >>> print(changed(document, {"warmup_steps": "250", "kind": "HoldLR"}), end="")
    kind: WarmupLR
    warmup_steps: 250  # short
    """
    lines = document.text.content.splitlines(keepends=True)
    for slider in reversed(sliders(document)):
        written = values.get(slider.name)
        if written is None or document.places is None or not is_number(written):
            continue
        place: Place = document.places.place(slider.path, False)
        line = lines[place.line - 1]
        lines[place.line - 1] = line[: place.column - 1] + written + line[place.end - 1 :]
    return "".join(lines)


def is_number(text: str) -> bool:
    """Whether a text is a finite number as YAML and JSON write it, and nothing else."""
    try:
        number = float(text)
    except ValueError:
        return False
    return number - number == 0 and text.strip() == text and "_" not in text and len(text) <= 40


def html(found: list[Slider], file: int) -> Iterator[str]:
    """The elements of the sliders of a file, which is counted from 0."""
    for slider in found:
        name = escape(f"{file}:{slider.name}")
        about = f'data-name="{name}" aria-label="{escape(slider.name)}"'
        ends = f'min="{min(0, -slider.most if slider.value < 0 else 0):g}" max="{slider.most:g}"'
        number = f'step="{slider.step:g}" value="{slider.value!r}"'
        yield (
            f'<div class="slider"><label>{escape(slider.name)}</label>'
            f'<input type="range" {about} {ends} {number}>'
            f'<input type="number" {about} step="any" value="{slider.value!r}"></div>'
        )


def _numbers(value: Any, path: Path) -> Iterator[tuple[Path, int | float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _numbers(inner, (*path, index))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value
