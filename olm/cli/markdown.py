"""Markdown as text for a terminal: the pages that `olm explain` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import indent, wrap

from olm.cli.aligned import aligned
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

    >>> page = "**See** [resume](resume.md):\n\n```sh\nls\n```\n\n- this\n- that\n"
    >>> print(*plain(page, Paint(False)), sep="|")
    See `olm explain resume`:|  ls|- this
    - that
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
            rule = f"\n{'-' * len(heading[2])}" if len(heading[1]) == 2 else ""
            yield paint("bold", heading[2]) + rule
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
    """The rows in columns or, where they are too long for a line, one below the other."""
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in block.split("\n")]
    head, _, *body = rows
    lines = [f"  {line}" for line in aligned([head, *body])]
    if max(map(len, lines)) > WIDTH:
        lines = [line for row in body for line in _row(head, row)]
    return "\n".join(lines)


def _row(head: list[str], row: list[str]) -> Iterator[str]:
    """A row of a wide table: its first cell, and the others below it, with their headings."""
    first, *others = row
    yield wrapped(first, "  ", "  ")
    names = [f"{name}: " if len(head) > 2 else "" for name in head[1:]]
    for name, cell in zip(names, others, strict=True):
        if cell:
            yield wrapped(f"{name}{cell}", "      ", "        " if name else "      ")


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
