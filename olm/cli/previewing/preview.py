"""What the page of ``olm preview`` shows: files as they are now, or with other numbers."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from olm.checking.check import Checked, Options, check
from olm.cli.clock_options import clock_of, uncounted
from olm.cli.formats.text import of_file
from olm.cli.previewing.sliders import changed, html, sliders
from olm.cli.terminal import Paint, visible
from olm.problem import OlmError
from olm.text.document import Document, read
from olm.text.source import MAX_BYTES

if TYPE_CHECKING:
    from olm.cli.drawing.page import View
    from olm.drawing.html import Page

Values = Mapping[int, Mapping[str, str]]
"""The numbers of the sliders, by file and by path."""


@dataclass(frozen=True)
class Shown:
    """A state of the page."""

    html: str
    """The picture and all else, or the problems and the last picture in grey."""
    sliders: str
    texts: Sequence[str]
    """The text of each file with the numbers of the sliders."""
    is_fine: bool


class Preview:
    """The files of a page, and the last picture that could be drawn of them."""

    def __init__(self, paths: Sequence[str], args: Namespace) -> None:
        self.paths, self.args = paths, args
        self.last: Page | None = None

    def shown(self, values: Values) -> Shown:
        """The page as it is now, with other numbers than those of the files."""
        from olm.drawing.html import body

        try:
            documents = [_read(path, self.args) for path in self.paths]
        except OSError as error:
            problem = f"{error.filename}: {error.strerror or error}"
            return self._wrong(problem, "", [])
        controls = "\n".join(_controls(documents))
        texts = [
            changed(document, values.get(index, {})) for index, document in enumerate(documents)
        ]
        results = [
            self._checked(text, document.text.file)
            for text, document in zip(texts, documents, strict=True)
        ]
        try:
            page = self._page(results)
        except OlmError as error:
            return self._wrong(str(error), controls, texts)
        problems = "".join(part for one in results for part in of_file(one, Paint(False)))
        if page is None:
            return self._wrong(problems or self._waits(results), controls, texts)
        self.last = page
        warnings = f'<pre class="wrong">{escape(problems.strip())}</pre>\n' if problems else ""
        return Shown(warnings + body(page), controls, texts, is_fine=True)

    def _checked(self, text: str, name: str) -> Checked:
        options = Options(self.args.at, clock=clock_of(self.args))
        return check(read(text.encode(), name, self.args.at), options)

    def _page(self, results: Sequence[Checked]) -> Page | None:
        """The page of the files; None if one of them has problems."""
        from olm.cli.drawing.pictures import html_page, together
        from olm.cli.verbs.show import in_words_of, view_of

        views: list[View] = []
        for result in results:
            if result.spec is None or result.counted is None:
                return None
            views.append(view_of(result.spec, result.counted, clock_of(self.args), self.args))
        words = [[*in_words_of(one.spec, self.args.only)] for one in results if one.spec]
        texts = [result.text for result in results]
        if len(views) == 1:
            # The text is below the sliders, too.
            return html_page(views[0], words[0], texts[0], has_text=False)
        return together(views, texts, words)

    def _waits(self, results: Sequence[Checked]) -> str:
        """What the durations of files need before there can be a curve."""
        found = [uncounted(result, clock_of(self.args)) for result in results]
        return "\n".join(line for one in found if one for line in one.message("olm preview"))

    def _wrong(self, problems: str, controls: str, texts: Sequence[str]) -> Shown:
        """The problems, above the last picture."""
        from olm.drawing.html import body

        old = body(replace(self.last, is_old=True)) if self.last else ""
        text = f'<pre class="wrong" role="alert">{escape(problems.strip())}</pre>\n'
        return Shown(text + old, controls, texts, is_fine=False)


def _controls(documents: Sequence[Document]) -> Iterator[str]:
    """The sliders of each file, below its name if there are several."""
    for index, document in enumerate(documents):
        if len(documents) > 1:
            yield f"<h3>{escape(document.text.file)}</h3>"
        yield from html(sliders(document), index)


def _read(path: str, args: Namespace) -> Document:
    with Path(path).open("rb") as file:
        return read(file.read(MAX_BYTES + 1), visible(path), args.at)
