"""``olm`` without a verb: its help and version, and the verb that another word probably means."""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec

from olm.cli import FILES, FINE, MISUSE, modules_by_verb

WORDS = {
    "olm check": ("verify", "validate", "test", "audit", "ci"),
    "olm check --lint": ("lint", "warn", "warnings"),
    "olm check --fix": ("fix", "format", "fmt", "repair", "autofix"),
    "olm check --schema FILE": ("jsonschema",),
    "olm show": ("view", "print", "cat", "describe", "info", "table", "rates", "lr", "summary"),
    "olm show --svg OUT": ("plot", "draw", "picture", "svg", "graph", "chart", "curve", "image"),
    "olm show --html OUT": ("html", "page", "report"),
    "olm preview": ("watch", "serve", "open", "live", "browser"),
    "olm diff": ("compare", "cmp"),
    "olm new": ("init", "create", "add", "generate", "template", "write"),
    "olm kinds": ("list", "ls", "catalogue", "catalog", "schedules", "schedulers"),
    "olm state": ("checkpoint", "inspect", "load", "dump"),
    "olm branch": ("fork", "extend", "continue", "cooldown"),
    "olm import": ("convert", "migrate", "read", "parse", "translate"),
    "olm export": ("save", "to"),
    "olm editor": ("vscode", "setup", "configure", "lsp"),
    "olm explain": ("docs", "doc", "guide", "guides", "man", "topics", "rule", "codes", "error"),
    "olm completion SHELL": ("completions", "complete", "shell"),
}
"""A command → the words that people try for it."""


def run_without_verb(name: str) -> int:
    """Print the help or the version, or report that there is no such verb."""
    if name in ("", "-h", "--help"):
        print(overview())
        return FINE if name else MISUSE
    if name in ("-V", "--version", "version"):
        print(f"olm {_version()}")
        return FINE
    from olm.problem import clipped

    what = "option" if name.startswith("-") else "verb"
    print(f"olm: there is no {what} `{clipped(name)}`: {_hint(name)}", file=sys.stderr)
    return MISUSE


def overview() -> str:
    """The verbs with their summaries."""
    rows = [f"  {verb:11}{_summary(module)}" for verb, module in modules_by_verb().items()]
    return "\n".join(
        [
            "usage: olm VERB ...\n\nLearning-rate schedules as data.\n\nverbs:",
            *rows,
            "\n`olm VERB --help` describes a verb. `olm --version` prints the version.",
        ]
    )


def _summary(module: str) -> str:
    """The summary in the file of a verb: to import every verb would take ten times as long."""
    spec = find_spec(module)
    loader = spec.loader if spec else None
    source = loader.get_source(module) if isinstance(loader, SourceFileLoader) else None
    found = re.search('^SUMMARY = "(.+)"$', source or "", re.MULTILINE)
    return found[1] if found else str(import_module(module).SUMMARY)


def _hint(name: str) -> str:
    """What would do instead of a word that is no verb."""
    from olm.problem import clipped, listed, nearest

    if name.startswith("-"):
        near = nearest(name, ["--help", "--version"])
        return f"did you mean `{near}`?" if near else "options follow the verb, see `olm --help`"
    if command := command_for(name):
        return f"use `{command}`"
    if name.endswith(FILES) or os.path.lexists(name):
        return f"use `olm check {clipped(name)}` or `olm show {clipped(name)}`"
    if near := nearest(name, modules_by_verb()):
        return f"did you mean `{near}`?"
    from olm.cli.topics import topics

    if (near := nearest(name, topics(), cutoff=0.8)) is not None:
        return f"use `{topics()[near]}`"
    return f"the verbs are {listed(modules_by_verb())}"


def command_for(word: str) -> str | None:
    """The command that a word probably means.

    >>> command_for("lint"), command_for("Plot"), command_for("check")
    ('olm check --lint', 'olm show --svg OUT', None)
    """
    word = word.lower()
    return next((command for command, words in WORDS.items() if word in words), None)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("olm-schedules")
    except PackageNotFoundError:
        return "(not installed)"
