"""``olm explain``: a guide to a task, or what a finding means and what to do about it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from textwrap import indent

from olm.checking.guides import all_guides, guide, guides
from olm.checking.pages import Page, codes, page, pages
from olm.cli import FINE, MISUSE
from olm.cli.markdown import plain, wrapped
from olm.cli.terminal import Paint

SUMMARY = "print a guide, or what a finding means with an example of it"

EPILOG = """\
Findings have their code in brackets: `error[unknown-field]`. Without a topic, the guides and the
codes are listed.

examples:
  $ olm explain resume
  resume: stop a run at any step and continue it
  ...
  $ olm explain unknown-field
  error[unknown-field]: an unknown field
  ...

exit status: 0 fine, 2 no such guide or code
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "topic", nargs="?", metavar="TOPIC", help="the guide or the code to explain"
    )


def run(args: Namespace) -> int:
    """Print the list, or one page."""
    paint = Paint.of(sys.stdout)
    if args.topic is None:
        print("\n\n".join(_list(paint)))
    elif args.topic in codes():
        print("\n\n".join(in_full(page(args.topic), paint)))
    elif args.topic in guides():
        print("\n\n".join(_guide(args.topic, paint)))
    else:
        from olm.problem import clipped, nearest

        near = nearest(args.topic, [*guides(), *codes()])
        hint = f"did you mean `{near}`?" if near else "`olm explain` lists them"
        topic = clipped(args.topic)
        print(f"olm explain: there is no guide or code `{topic}`: {hint}", file=sys.stderr)
        return MISUSE
    return FINE


def _guide(name: str, paint: Paint) -> Iterator[str]:
    """A guide in paragraphs."""
    shown = guide(name)
    yield paint("bold", f"{name}: {shown.title}")
    yield from plain(shown.text, paint)


def in_full(shown: Page, paint: Paint) -> Iterator[str]:
    """The page of a code in paragraphs."""
    code = paint(shown.severity, f"{shown.severity}[{shown.code}]")
    yield f"{code}: {paint('bold', shown.title)}"
    for paragraph in shown.text.split("\n\n"):
        yield wrapped(paragraph)
    yield f"{paint('bold', 'bad')}\n" + indent(shown.bad.text.rstrip(), "  ")
    if printed := shown.bad.said.rstrip() or "\n\n".join(findings(shown, paint)):
        yield indent(printed, "  ")
    yield f"{paint('bold', 'good')}\n" + indent(shown.good.text.rstrip(), "  ")


def findings(shown: Page, paint: Paint) -> Iterator[str]:
    """What ``olm check`` prints for a bad example that is a spec."""
    from olm.checking.check import Options, check
    from olm.cli.excerpt import picture
    from olm.text.document import read

    document = read(shown.bad.text, f"bad.olm.{shown.bad.language}")
    found = check(document, Options(lint=shown.severity == "warning"))
    for problem in found.problems:
        yield "\n".join(picture(problem, found.text, paint))


def _list(paint: Paint) -> Iterator[str]:
    every = pages()
    parts = [
        ("GUIDES", [(each.name, each.title) for each in all_guides()]),
        ("ERRORS", [(each.code, each.title) for each in every if each.severity == "error"]),
        ("WARNINGS", [(each.code, each.title) for each in every if each.severity == "warning"]),
    ]
    for heading, rows in parts:
        if rows:
            yield "\n".join([paint("bold", heading), *_rows(rows)])
    yield "`olm explain TOPIC` prints one of them."


def _rows(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max(len(name) for name, _ in rows)
    yield from (f"  {name:{width}}  {title}" for name, title in rows)
