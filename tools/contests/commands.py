"""Whole processes: imports, a check of files with the memory that it takes, and other verbs."""

from __future__ import annotations

import atexit
import os
import re
import resource
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from contests import OLM, Amount, Contest, Family, Side, ajv
from contests.documents import texts
from environment import ROOT

SCHEMA = ROOT / "schemas" / "schedule.schema.json"
JSONSCHEMA = "check-jsonschema"
MEMORY = "peak memory"
PYDANTIC = "import of pydantic"
MODEL = "from pydantic import BaseModel"
PYTHON = sys.executable
CHECK = [PYTHON, "-m", "olm", "check"]
PROGRAMS = {OLM: "import olm", "`import json`": "import json", "bare Python": ""}


def imports() -> dict[str, Side]:
    """Python, started to import something."""
    return {
        name: Side(partial(_run, [PYTHON, "-c", program])) for name, program in PROGRAMS.items()
    }


REPORTED = {
    OLM: r"^(.+?):\d+:\d+: error\[",
    JSONSCHEMA: r"^ +(.+?)::",
    ajv.NAME: r"^(.+) invalid$",
}
"""How each command reports a file in which it finds a mistake."""


def checks(number: int, options: Sequence[str], against: Collection[str]) -> dict[str, Side]:
    """The same files, checked by the commands; all of them find the same wrong files."""
    files, wrong = _files(number)
    commands = _commands(files, options, against)
    status = int(bool(wrong))
    for name, command in commands.items():
        if (found := _found(name, tuple(command), status)) != wrong:
            odd = sorted(found ^ wrong)
            raise RuntimeError(f"{name} is wrong about {len(odd)} files, such as {odd[0]}")
    return {name: Side(partial(_run, command, status)) for name, command in commands.items()}


def verbs(arguments: Sequence[str]) -> dict[str, Side]:
    """A command that reads no file, and an import of the library that olm has its models from."""
    return {
        OLM: Side(seconds=partial(_processor_time, [PYTHON, "-m", "olm", *arguments])),
        PYDANTIC: Side(seconds=partial(_processor_time, [PYTHON, "-c", MODEL])),
    }


def peak_memory(number: int) -> float:
    """The most memory that `olm check` takes for a number of files, in MiB."""
    # A process begins with the peak of the one that started it, which is to be small therefore.
    program = (
        "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=2);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done.returncode)"
    )
    files, wrong = _files(number)
    done = _run([PYTHON, "-c", program, *CHECK, *files], status=int(bool(wrong)))
    # In kilobytes, except on macOS.
    return int(done.stdout) / (2**20 if sys.platform == "darwin" else 2**10)


def _commands(
    files: Sequence[str], options: Sequence[str], against: Collection[str]
) -> dict[str, list[str]]:
    commands = {
        OLM: [*CHECK, *options, *files],
        JSONSCHEMA: [PYTHON, "-m", "check_jsonschema", "--schemafile", str(SCHEMA), *files],
    }
    if ajv.NAME in against and (command := ajv.command(SCHEMA)):
        commands[ajv.NAME] = [*command, *(part for file in files for part in ("-d", file))]
    return commands


@cache
def _files(number: int) -> tuple[list[str], set[str]]:
    """A number of files, no two alike, and those of them with a mistake."""
    folder = TemporaryDirectory(prefix="olm-bench-")
    atexit.register(folder.cleanup)
    files, wrong = [], set()
    for index, (text, is_valid) in enumerate(islice(texts(), number)):
        path = Path(folder.name, f"{index}.olm.yaml")
        path.write_text(text)
        files.append(str(path))
        if not is_valid:
            wrong.add(str(path))
    return files, wrong


@cache
def _found(name: str, command: tuple[str, ...], status: int) -> set[str]:
    """The files in which a command finds mistakes."""
    done = _run(command, status)
    return set(re.findall(REPORTED[name], done.stdout + done.stderr, re.MULTILINE))


def _processor_time(command: Sequence[str]) -> float:
    """The seconds of processor time of a process, in the middle of three."""

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    times = []
    for _ in range(3):
        before = spent()
        _run(command)
        times.append(spent() - before)
    return median(times)


def _run(command: Sequence[str], status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command, which must end with a status."""
    # Bytecode is kept, as it is for those who do not develop.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=kept)
    if done.returncode != status:
        raise RuntimeError(f"{' '.join(command[1:4])} ... failed:\n{done.stdout}{done.stderr}")
    return done


def _contest(
    number: int, goals: Mapping[str, float], options: str = "", setups: int | None = None
) -> Contest:
    files = "1 file" if number == 1 else f"{number:,} files"
    command = f"check {options}".rstrip()
    sides = partial(checks, number, options.split(), goals)
    return Contest(f"{command} {files}", f"`olm {command}`, {files}", sides, goals, setups)


def _verb(arguments: str, goal: float) -> Contest:
    sides = partial(verbs, arguments.split())
    return Contest(f"verb {arguments}", f"`olm {arguments}`", sides, {PYDANTIC: goal})


FAMILIES = [
    Family(
        "a new process",
        [
            Contest("import", "`import olm`", imports),
            _contest(1, {JSONSCHEMA: 0.55}),
            _contest(1000, {JSONSCHEMA: 0.14, ajv.NAME: 1.0}),
            Amount(
                "check memory",
                "`olm check`, 1,000 files",
                MEMORY,
                "MiB",
                partial(peak_memory, 1000),
                60,
            ),
            # check-jsonschema takes half a minute for them.
            _contest(10_000, {JSONSCHEMA: 0.06}, "--jobs 2", setups=1),
        ],
        processes=True,
    ),
    Family(
        "processor time of a new process",
        [_verb("kinds", 3.4), _verb("schema", 3.6), _verb("--help", 2.2), _verb("explain", 2.2)],
    ),
]
