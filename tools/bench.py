"""Measure how long olm takes for something, as a multiple of what others take for it.

    python3 tools/bench.py                      all of it, in half an hour
    python3 tools/bench.py --only "8 groups"    the contests with this in their name
    python3 tools/bench.py --write              write tools/bench.md, without the goals

Below 1 is faster. A figure is the median of repetitions in which the sides take turns, with torch
on one thread and the garbage collector at rest. What runs in one process is measured in processor
time, so that other work on the machine disturbs little; commands by the clock on the wall.
`.venv` is made if this Python lacks what is compared, and `.node-bench` for ajv-cli, which is left
out where there is no npm. The exit status is 1 if a goal is missed.
"""

import argparse
import json
import platform
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

from contests import Family, Result, ajv, results
from environment import ROOT, enter

PAGE = ROOT / "tools" / "bench.md"
TOPICS = ("steps", "targets", "lifecycle", "curves", "resuming", "commands", "pictures")

INTRODUCTION = """\
# Figures

`python3 tools/bench.py --write` writes this page. A figure is olm's time divided by that of the
other, so below 1 is faster: the median of repetitions in which the two take turns. Some figures
have a goal, which the command prints beside them.

- **Steps.** A scheduler evaluates a block of coming steps at once, and a step is a look-up. The
  loop with the same duties is written by hand; it also keeps tensors, counts, and remembers the
  rates.
- **Curves.** Each side has processes of its own, computes the curve once to import what it needs,
  and then nine times, keeping the results. numpy's side is written by hand for the one curve, in
  place and unchecked; olm checks every step and every rate. So olm takes longest, compared with
  numpy, where the rate is constant: one pass of writing there, and one of checking steps, one of
  converting them and one of writing here.
- **Commands** are whole processes. The files of a check all differ; a tenth of them has a mistake.
"""

NEEDED = ("torch", "numpy", "pydantic", "check_jsonschema")


def main(args: list[str]) -> int:
    """Measure, show, perhaps write, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="NAME", help="contests with this in the name")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, rougher figures")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--write", action="store_true", help="write the page tools/bench.md")
    given = parser.parse_args(args)
    if given.write and (given.only or given.quick):
        parser.error("--write is for all contests, without --only and --quick")
    if not all(map(find_spec, NEEDED)):
        enter()
    # The olm of this folder, whatever is installed.
    sys.path.insert(0, str(ROOT))
    measured = list(measure(given.only, setups=1 if given.quick else 5))
    if not measured:
        parser.error(f"no contest has {given.only!r} in its name")
    everything = [result for _, rows in measured for result in rows]
    said = [asdict(result) | {"met": result.met} for result in everything]
    print(json.dumps(said, indent=2) if given.json else report(measured, goals=True))
    if given.write:
        PAGE.write_text(f"{INTRODUCTION}\n{report(measured, goals=False)}\n", encoding="utf-8")
    return int(any(result.met is False for result in everything))


def measure(only: str, setups: int) -> Iterator[tuple[str, list[Result]]]:
    """The heading of every table, with what was measured for it.

    Args:
        only: what the name of a contest must contain.
        setups: how many times the sides of each are prepared anew.
    """
    tables = {
        (topic, family.heading): [c.name for c in family.contests if only in c.name]
        for topic in TOPICS
        for family in families(topic)
    }
    total = sum(map(len, tables.values()))
    done = 0
    # A contest has a process of its own: the memory that one leaves behind slows the next.
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as process:
        for (topic, heading), names in tables.items():
            rows: list[Result] = []
            for name in names:
                done += 1
                _progress(f"{done} of {total}: {name}", last=done == total)
                rows += process.submit(_measured, topic, name, setups).result()
            if rows:
                yield heading, rows


def families(topic: str) -> list[Family]:
    """The tables of a file in `contests`."""
    return list(import_module(f"contests.{topic}").FAMILIES)


def _measured(topic: str, name: str, setups: int) -> list[Result]:
    tables = families(topic)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    return [
        result
        for family in tables
        for contest in family.contests
        if contest.name == name
        for result in results(contest, setups=setups, processes=family.processes)
    ]


def report(measured: Iterable[tuple[str, list[Result]]], *, goals: bool) -> str:
    """The tables in Markdown, and under which conditions they were measured."""
    tables = [table(heading, rows, goals=goals) for heading, rows in measured]
    return "\n\n".join([*tables, conditions({row.against for _, rows in measured for row in rows})])


def table(heading: str, measured: Iterable[Result], *, goals: bool) -> str:
    """A Markdown table: a row a contest, a column for each of the others.

    A figure that misses its goal is bold.
    """
    cells: dict[str, dict[str, str]] = {}
    for result in measured:
        cells.setdefault(result.what, {})[result.against] = _cell(result, goals=goals)
    others = list(dict.fromkeys(other for row in cells.values() for other in row))
    lines = [[heading, *others], ["---"] * (1 + len(others))]
    lines += [[what, *(row.get(other, "") for other in others)] for what, row in cells.items()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in lines
    )


def _cell(result: Result, *, goals: bool) -> str:
    digits, unit = (0, f" {result.unit}") if result.unit else (2, "")
    goal = f" ≤ {result.goal:.{digits}f}" if goals and result.goal is not None else ""
    bold = "**" if result.met is False else ""
    return f"{bold}{result.ratio:.{digits}f}{unit}{bold}{goal}"


def conditions(others: Iterable[str]) -> str:
    """When, on what processor and with which versions this was measured, against these others."""
    versions = [f"{name.replace('_', '-')} {version(name).partition('+')[0]}" for name in NEEDED]
    versions += [f"{name} {ajv.VERSIONS[name]}" for name in (ajv.NAME,) if name in others]
    return (
        f"A figure that misses its goal is bold. {datetime.now(UTC):%Y-%m-%d}, {processor()}, "
        f"Python {platform.python_version()}, {', '.join(versions)}."
    )


def processor() -> str:
    """The model of the processor, as far as the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _progress(line: str, *, last: bool) -> None:
    if sys.stderr.isatty():
        print(f"\r{line:<79}", end="\n" if last else "", file=sys.stderr, flush=True)
    else:
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
