"""``olm recipes``: list the schedules that come with olm."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from olm.cli import FINE, NOTHING_MATCHED
from olm.cli.aligned import aligned
from olm.cli.terminal import Screen
from olm.spec.recipes import Recipe, found, recipes

SUMMARY = "list the schedules that papers and repositories report"

EPILOG = """\
A recipe is a spec that comes with olm. Its comment has the source of its numbers. WORD is a name,
or text in a name, a group or a spec, such as a kind.

examples:
  $ olm recipes llama
  $ olm show llama-2-7b
  $ olm new --from llama-2-7b --out run.olm.yaml

exit status: 0 found, 3 no recipe has the word
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("word", nargs="?", metavar="WORD", help="list only recipes with this text")


def run(args: Namespace) -> int:
    """Print the list."""
    chosen = [*recipes().values()] if args.word is None else [*found(args.word)]
    if not chosen:
        print(f"olm recipes: no recipe has {args.word}", file=sys.stderr)
        return NOTHING_MATCHED
    screen, groups = Screen.of(sys.stdout), dict[str, list[Recipe]]()
    for recipe in chosen:
        groups.setdefault(recipe.group, []).append(recipe)
    blocks = []
    for group, members in groups.items():
        rows = [(f"  {one.name}", one.title) for one in members]
        blocks.append("\n".join([group.upper(), *aligned(rows, screen.longest)]))
    print(screen.text("\n\n".join(blocks)))
    return FINE
