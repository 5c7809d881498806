"""Whole processes: an import, and a check of files, with the memory that it takes."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial
from itertools import cycle, islice
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from contests import OLM, Amount, Contest, Family, Side, ajv
from environment import ROOT

SCHEMA = ROOT / "schemas" / "schedule.schema.json"
JSONSCHEMA = "check-jsonschema"
MEMORY = "peak memory"
PYTHON = sys.executable
CHECK = [PYTHON, "-m", "olm", "check"]
PROGRAMS = {OLM: "import olm", "`import json`": "import json", "bare Python": ""}


def imports() -> dict[str, Side]:
    """Python, started to import something."""
    return {
        name: Side(partial(_run, [PYTHON, "-c", program])) for name, program in PROGRAMS.items()
    }


def checks(number: int, options: Sequence[str], against: Collection[str]) -> dict[str, Side]:
    """The same files, checked by the commands; each of them finds what is wrong in another one."""
    files, wrong = _files(number)
    commands = _commands(files, options, against)
    for name, command in _commands([wrong], options, against).items():
        if _done(command).returncode != 1:
            raise RuntimeError(f"{name} does not see what is wrong")
    return {name: Side(partial(_run, command)) for name, command in commands.items()}


def peak_memory(number: int) -> float:
    """The most memory that `olm check` takes for so many files, in MiB."""
    # A process begins with the peak of the one that started it, which is to be small therefore.
    program = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = _run([PYTHON, "-c", program, *CHECK, *_files(number)[0]])
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
def _files(number: int) -> tuple[list[str], str]:
    """So many files, the specs of this repository over and over, and a file with a mistake."""
    folder = TemporaryDirectory(prefix="olm-bench-")
    atexit.register(folder.cleanup)
    specs = islice(cycle(sorted((ROOT / "specs").glob("*.olm.yaml"))), number)
    copies = [
        str(copyfile(spec, Path(folder.name, f"{index}.olm.yaml")))
        for index, spec in enumerate(specs)
    ]
    wrong = Path(folder.name, "wrong.olm.yaml")
    wrong.write_text("kind: LinearLR\ntotal_steps: many\n")
    return copies, str(wrong)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    done = _done(command)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:4])} ... failed:\n{done.stdout}{done.stderr}")
    return done


def _done(command: list[str]) -> subprocess.CompletedProcess[str]:
    # Bytecode is kept, as it is for those who do not develop.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=kept)


def _contest(
    number: int, goals: Mapping[str, float], options: str = "", setups: int | None = None
) -> Contest:
    files = "1 file" if number == 1 else f"{number:,} files"
    command = f"check {options}".rstrip()
    sides = partial(checks, number, options.split(), goals)
    return Contest(f"{command} {files}", f"`olm {command}`, {files}", sides, goals, setups)


FAMILIES = [
    Family(
        "a new process",
        [
            Contest("import", "`import olm`", imports),
            _contest(1, {JSONSCHEMA: 0.65}),
            _contest(1000, {JSONSCHEMA: 0.09, ajv.NAME: 0.70}),
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
    )
]
