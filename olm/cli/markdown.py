"""Markdown as text for a terminal: the pages that `olm explain` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import indent, wrap

from olm.cli.drawing.tables import aligned
from olm.cli.terminal import Paint

WIDTH = 96

_COMMENT = re.compile(r"^<!--.*?-->\n?", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^( *)```[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"<picture>.*?</picture>|<img [^>]*>|!\[[^\]]*\]\([^)]*\)", re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_ITEM = re.compile(r"( *)([-*]|\d+\.) ")
_STRONG = re.compile(r"\*\*([^*`]+)\*\*")


def plain(text: str, paint: Paint) -> Iterator[str]:
    r"""The paragraphs of a page, wrapped; code is indented, tables are aligned.

    >>> page = "## So\n\n**See** [it](resume.md):\n\n```sh\nls\n```\n"
    >>> print(*plain(page, Paint(False)), sep="|")
    SO|See `olm explain resume`:|  ls
    """
    text = _PICTURE.sub("", _COMMENT.sub("", text))
    end = 0
    for fence in _FENCE.finditer(text):
        yield from _prose(text[end : fence.start()], paint)
        yield indent(fence[2].rstrip("\n"), "  ")
        end = fence.end()
    yield from _prose(text[end:], paint)


def _prose(text: str, paint: Paint) -> Iterator[str]:
    for block in re.split(r"\n{2,}", _LINK.sub(_link, text).strip("\n")):
        if heading := re.fullmatch(r"(#+) (.+)", block):
            title = heading[2]
            yield paint("bold", title.upper() if len(heading[1]) == 2 else title)
        elif block.startswith("|"):
            yield _table(block)
        elif _ITEM.match(block):
            items = "\n".join(map(_item, re.split(r"\n(?= *(?:[-*]|\d+\.) )", block)))
            yield _strong(items, paint)
        elif block.strip():
            yield _strong(wrapped(block), paint)


def _strong(text: str, paint: Paint) -> str:
    """Text in bold, after it was wrapped: the codes for colours would count as letters."""
    return _STRONG.sub(lambda strong: paint("bold", strong[1]), text)


def _link(link: re.Match[str]) -> str:
    """A link to another guide as the command that prints it, any other one with its address."""
    text, target = link.groups()
    if guide := re.fullmatch(r"([a-z0-9-]+)\.md", target):
        return f"`olm explain {guide[1]}`"
    return text if text == target else f"{text} ({target})"


def _table(block: str) -> str:
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in block.split("\n")]
    return "\n".join(indent(line, "  ") for line in aligned([rows[0], *rows[2:]]))


def _item(text: str) -> str:
    match = _ITEM.match(text)
    assert match
    return wrapped(text[match.end() :], match[0], " " * match.end())


def wrapped(text: str, first: str = "", later: str = "") -> str:
    """A paragraph in lines of at most `WIDTH`: a text before the first, one before the others."""
    lines = wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)
