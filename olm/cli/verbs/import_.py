"""``olm import``: write the specs of other frameworks' configurations."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from olm.cli import FINE, PROBLEMS, Misuse
from olm.cli.excerpt import picture
from olm.cli.input import BINARY
from olm.cli.spec_text import as_yaml, concise
from olm.cli.terminal import Paint, visible
from olm.problem import OlmError, SpecError, dotted, quantity
from olm.text.source import Text
from olm.text.write import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from olm.foreign.configs._importing import Imported
    from olm.problem import Problem

MOST_PRINTED = 10
"""How many problems of a file are printed."""

SUMMARY = "write the specs of other frameworks' configurations"

EPILOG = """\
The framework is recognised by the keys of a file, never by its name. The spec has the rates of the
framework at every step, or the configuration is refused with the key and the reason. Nothing in
a file is run.

example:
  $ printf 'lr_scheduler_type: cosine\\nlearning_rate: 3.0e-4\\nmax_steps: 1000\\n' > args.yaml
  $ olm import args.yaml --warmup-steps 100 --out run.olm.yaml
  wrote run.olm.yaml: transformers' TrainingArguments, transformers 5.23

exit status: 0 success, 1 a file was refused, 2 usage error
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="configurations to import")
    parser.add_argument("--from", dest="from_", default="", metavar="FRAMEWORK",
                        help="the framework (default: recognised by the keys)")  # fmt: skip
    parser.add_argument("--at", default="", metavar="PLACE",
                        help="where in the file the configuration is, such as trainer")  # fmt: skip
    parser.add_argument("--out", metavar="PATH",
                        help="write to a file, or to a folder for several files")  # fmt: skip
    parser.add_argument("--force", action="store_true", help="overwrite existing files")
    parser.add_argument("--groups", action="store_true",
                        help="print the param groups of each file, and no spec")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print what became of each file")
    answers = parser.add_argument_group("what a file may not say")
    for option, kind, text in (
        ("--total-steps", int, "the run length in optimizer steps"),
        ("--warmup-steps", int, "the length of the warm-up in optimizer steps"),
        ("--steps-per-epoch", float, "optimizer steps per epoch"),
        ("--dataset-size", int, "the number of samples in the data set"),
        ("--world-size", int, "the number of processes: devices times nodes"),
        ("--learning-rate", float, "the base learning rate"),
    ):
        answers.add_argument(option, type=kind, metavar="N", help=text)
    answers.add_argument("--devices", dest="world_size", type=int, metavar="N",
                         help="the same as --world-size")  # fmt: skip
    answers.add_argument("--interval", choices=("step", "epoch"),
                         help="how often the program steps the scheduler")  # fmt: skip
    answers.add_argument("--nearest", action="store_true",
                         help="accept the nearest that can be said")  # fmt: skip


def run(args: Namespace) -> int:
    """Write the spec of each file, or print why there is none."""
    from olm.foreign.configs._config import OPTIONS
    from olm.foreign.configs._importing import import_config

    options = {name: getattr(args, name) for name in OPTIONS}
    results: list[dict[str, Any]] = []
    for file in args.files:
        try:
            made = import_config(file, from_=args.from_, at=args.at, **options)
        except SpecError as error:
            results.append(_refused(file, error, quiet=args.json))
        except OlmError as error:
            raise Misuse(str(error)) from None
        else:
            results.append(_written(file, made, args))
    if args.json:
        print(json.dumps(results if len(results) > 1 else results[0], indent=2))
    elif len(results) > 1 and not args.groups:
        _table(results)
    return PROBLEMS if any(result["problems"] for result in results) else FINE


def _refused(file: str, error: SpecError, *, quiet: bool) -> dict[str, Any]:
    """Print the problems of a file, with carets."""
    if not quiet:
        for problem in error.problems[:MOST_PRINTED]:
            print("\n".join(excerpts(file, problem)), file=sys.stderr)
        more = len(error.problems) - MOST_PRINTED
        if more > 0:
            print(f"and {quantity(more, 'more problem')}", file=sys.stderr)
    problems = [
        {
            "code": problem.code,
            "message": problem.message,
            "hint": problem.hint,
            "line": problem.place.line if problem.place else None,
        }
        for problem in error.problems
    ]
    return {"file": file, "format": None, "problems": problems}


def excerpts(file: str, problem: Problem) -> Iterator[str]:
    """The lines that show a problem in a file of any syntax."""
    from olm.foreign.configs._source import data_of

    content = ""
    # A pipe can be read only once.
    if Path(file).is_file():
        with suppress(OSError):
            data = data_of(Path(file))
            content = "" if data.startswith(BINARY) else data.decode("utf-8", "replace")
    return picture(problem, Text(file, content), Paint.of(sys.stderr))


def _written(file: str, made: Imported, args: Namespace) -> dict[str, Any]:
    """Write or print a spec, and return what became of its file."""
    if args.groups and not args.json:
        from olm.cli.import_groups import table

        print(*table(made), sep="\n")
        return {"file": file, "title": made.title, "problems": []}
    text = as_yaml(made.spec, [*made.comments])
    target = _target(args.out, file, len(args.files) > 1)
    if target is not None:
        if target.exists() and not args.force:
            raise Misuse(f"{target} exists already: add --force to overwrite it")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text.encode())
        if not args.json:
            print(f"wrote {visible(str(target))}: {made.title}")
    elif not args.json:
        print(text, end="")
    return {
        "file": file,
        "format": made.format,
        "title": made.title,
        "spec": concise(made.spec),
        "keys": {key: {"value": value, "line": line} for key, (value, line) in made.keys.items()},
        "defaults": made.defaults,
        "options": made.options,
        "notes": [*made.notes],
        "groups": [asdict(group) | {"path": dotted(group.path)} for group in made.groups],
        "out": None if target is None else str(target),
        "problems": [],
    }


def _target(out: str | None, file: str, several: bool) -> Path | None:
    """The file to write; None for the standard output."""
    if out is None:
        return None
    target = Path(out)
    is_folder = several or target.is_dir()
    return target / f"{Path(file).stem}.olm.yaml" if is_folder else target


def _table(results: list[dict[str, Any]]) -> None:
    """Print what became of each file."""
    width = max(len(visible(result["file"])) for result in results)
    for result in results:
        codes = ", ".join(problem["code"] for problem in result["problems"])
        became = f"refused: {codes}" if codes else result["title"]
        print(f"{visible(result['file']):{width}}  {became}")
