"""``olm explain``: what a finding means, why there is such a finding, and what to do about it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from textwrap import indent, wrap

from olm.checking.check import Options, check
from olm.checking.pages import Page, codes, page
from olm.cli import FINE, MISUSE
from olm.cli.excerpt import picture
from olm.cli.terminal import Paint, wants_colour
from olm.problem import clipped, nearest
from olm.text.document import read

SUMMARY = "say what a finding means, with a bad and a good example"

EPILOG = """\
The code of a finding stands in brackets: `error[unknown-field]`. Without a code, all of them
are listed.

example:
  $ olm explain unknown-field
  error[unknown-field]: a key that the kind does not have
  ...

exit status: 0 fine, 2 no such code
"""

WIDTH = 96


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="the code to explain")


def run(args: Namespace) -> int:
    """Print the list, or one page."""
    paint = Paint(wants_colour(sys.stdout))
    if args.code is None:
        print("\n\n".join(_list(paint)))
        return FINE
    if args.code not in (known := codes()):
        near = nearest(args.code, known)
        hint = f"did you mean `{near}`?" if near else "`olm explain` lists them"
        print(f"olm explain: there is no code `{clipped(args.code)}`: {hint}", file=sys.stderr)
        return MISUSE
    print("\n\n".join(in_full(page(args.code), paint)))
    return FINE


def in_full(shown: Page, paint: Paint) -> Iterator[str]:
    """A page in paragraphs."""
    code = paint(shown.severity, f"{shown.severity}[{shown.code}]")
    yield f"{code}: {paint('bold', shown.title)}"
    for paragraph in shown.text.split("\n\n"):
        yield "\n".join(wrap(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False))
    yield f"{paint('bold', 'bad')}\n" + indent(shown.bad.text.rstrip(), "  ")
    if said := shown.bad.said.rstrip() or "\n\n".join(findings(shown, paint)):
        yield indent(said, "  ")
    yield f"{paint('bold', 'good')}\n" + indent(shown.good.text.rstrip(), "  ")


def findings(shown: Page, paint: Paint) -> Iterator[str]:
    """What ``olm check`` shows of the mistake in a bad example that is a spec."""
    document = read(shown.bad.text, f"bad.olm.{shown.bad.language}")
    found = check(document, Options(lint=shown.severity == "warning"))
    for problem in found.problems:
        yield "\n".join(picture(problem, found.text, paint))


def _list(paint: Paint) -> Iterator[str]:
    pages = [page(code) for code in codes()]
    width = max(len(one.code) for one in pages)
    for severity in ("error", "warning"):
        rows = [f"  {one.code:{width}}  {one.title}" for one in pages if one.severity == severity]
        if rows:
            yield "\n".join([paint("bold", f"{severity.upper()}S"), *rows])
    yield "`olm explain CODE` tells more of one of them."
