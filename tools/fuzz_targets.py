"""What `tools/fuzz.py` does with an input: a function from bytes for each thing that olm reads.

The first byte of an input selects the options, the rest is what olm reads. A target raises whatever
olm raises beyond its own errors and OSError; `attempt` also limits time and memory.
"""

import io
import json
import resource
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

LIMIT_MIB, LIMIT_S = 500, 5
"""What one input may add to the memory of the process, and how long it may take."""

NEED_TORCH = ("checkpoints", "states")

SUFFIXES = (".olm.yaml", ".olm.json", ".toml")
PLACES = ((), ("schedulers", 0), ("a", "b"))
LINTS = (True, False)
TOML = SUFFIXES.index(".toml")


def attempt(target: str, data: bytes) -> None:
    """Run a target within the limits.

    Raises:
        AssertionError: the input takes too long or too much memory.
    """
    # Not what other processes take, or the first import of torch.
    if target in NEED_TORCH:
        _distributed()
    before, start = _peak_mib(), time.process_time()
    TARGETS[target](data)
    seconds, mib = time.process_time() - start, _peak_mib() - before
    if seconds > LIMIT_S:
        raise AssertionError(f"the input takes {seconds:.1f} s")
    if mib > LIMIT_MIB:
        raise AssertionError(f"the input takes {mib} MiB")


def _peak_mib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> (20 if sys.platform == "darwin" else 10)


def specs(data: bytes) -> None:
    """Check, fix and report a file."""
    from olm.checking.check import Options, check
    from olm.checking.fix import fixed_text, with_sound_fixes
    from olm.cli.formats import Look, Tally, named, names
    from olm.text.document import read

    mode, data = _split(data)
    file = f"input{SUFFIXES[mode % len(SUFFIXES)]}"
    at = PLACES[mode // 3 % len(PLACES)]
    options = Options(at=at, lint=LINTS[mode // 9 % len(LINTS)])
    result = check(read(data, file, at), options)
    if any(problem.fix for problem in result.problems):
        result = with_sound_fixes(result, options)
        fixed, count = fixed_text(data, file, options)
        again = check(read(fixed, file, at), options)
        # As many as before may be left: a fix may uncover another problem.
        if len(again.problems) > len(result.problems) or fixed_text(fixed, file, options)[1]:
            raise AssertionError(f"{count} fixes left {len(again.problems)} problems")
    for name in names():
        tally = Tally()
        tally.add(result)
        "".join(named(name).report([result], Look(tally=tally)))
    if result.spec:
        _round_trip(result.spec)


def _round_trip(spec: object) -> None:
    """Check what olm guarantees for every spec."""
    from olm.spec.digest import digest
    from olm.spec.spec import Spec, parse

    assert isinstance(spec, Spec)
    again = parse(spec.model_dump())
    if again != spec or digest(again.schedule) != digest(spec.schedule):
        raise AssertionError("a spec differs from the one parsed from its own document")


def toml(data: bytes) -> None:
    """Check, fix and report a file of TOML."""
    mode, data = _split(data)
    specs(bytes([TOML + mode % 6 * len(SUFFIXES)]) + data)


SCHEDULES: tuple[Mapping[str, Any], ...] = (
    {"kind": "ExponentialLR", "gamma": 0.9},
    {"kind": "MultiStepLR", "milestones": [5, 9], "gamma": 0.5},
    {"kind": "ReduceLROnPlateau"},
    {"kind": "OneCycleLR", "max_lr": 1.0, "total_steps": 100},
    {
        "kind": "SequentialLR",
        "schedulers": [{"kind": "WarmupLR", "warmup_steps": 5}, {"kind": "HoldLR"}],
        "milestones": [5],
    },
)
"""The schedules that states are loaded into."""

ODD: tuple[Any, ...] = (
    None, True, "", "1", "9" * 5000, [], {}, [[]], {"5": 10**9}, 0, -1, 2**63, 10**30, 1e308, -0.0,
    0.5, float("nan"), float("inf"), [1] * 40, [None], (), b"", {1: 2}, {None: 1}, {5, 6}, "1ep",
)  # fmt: skip
"""Values that a field of a state should not have, or seldom has."""

CHANGED = 128
"""The first of the modes whose input selects changes of a state, rather than being its JSON."""


def states(data: bytes) -> None:
    """Load a state into a scheduler, and print or convert it with `olm state`."""
    import torch

    import olm
    from olm.problem import OlmError

    mode, data = _split(data)
    schedule = SCHEDULES[mode % len(SCHEDULES)]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = olm.build(dict(schedule), optimizer)
    value: Any = None
    if mode >= CHANGED:
        value = _changed(scheduler.state_dict(), data)
    else:
        with suppress(ValueError, RecursionError):
            value = json.loads(data)
    if isinstance(value, dict):
        for choice in ("error", "checkpoint", "spec"):
            with suppress(OlmError):
                scheduler.load_state_dict(value, on_change=choice)
                optimizer.step()
                scheduler.step(*[0.5] * (schedule["kind"] == "ReduceLROnPlateau"))
        _specs_in(value)
    with TemporaryDirectory() as folder:
        file = Path(folder, "state.json")
        file.write_bytes(data)
        if mode >= CHANGED:
            try:
                file.write_text(json.dumps(value))
            except (TypeError, ValueError):
                return
        _run("state", str(file))
        _run("state", str(file), "--json")


def _changed(state: dict[str, Any], data: bytes) -> dict[str, Any]:
    """A state in which each two bytes put an odd value at a place."""
    value: Any = json.loads(json.dumps(state))
    for where, what in zip(data[::2], data[1::2], strict=False):
        inner, key = value, None
        while isinstance(inner, dict | list) and inner:
            keys = list(inner) if isinstance(inner, dict) else range(len(inner))
            above, key = inner, keys[where % len(keys)]
            inner, where = inner[key], where // 3
        if key is not None:
            above[key] = deepcopy(ODD[what % len(ODD)])
    return dict(value)


def _specs_in(value: Any) -> None:
    from olm.foreign.checkpoints import spec_of, states_of
    from olm.problem import OlmError

    for found in states_of(value):
        with suppress(OlmError):
            spec_of(found)


def checkpoints(data: bytes) -> None:
    """Read a file of torch's two formats, its values alone, or the contents of a DCP folder."""
    from olm.problem import OlmError
    from olm.train.checkpoints import load

    mode, data = _split(data)
    with TemporaryDirectory() as folder:
        path = Path(folder)
        match mode % 3:
            case 0:
                path /= "run.pt"
                path.write_bytes(data)
            case 1:
                path /= "run.pt"
                _write_zip(path, data)
            case 2:
                for name, content in _distributed().items():
                    Path(path, name).write_bytes(content)
                Path(path, ".metadata").write_bytes(data)
        with suppress(OlmError, OSError):
            _specs_in(load(path))
        _run("state", str(path))


def _write_zip(path: Path, values: bytes) -> None:
    """The zip file that torch saves, with any bytes as its pickled values."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("run/data.pkl", values)
        archive.writestr("run/byteorder", b"little")
        archive.writestr("run/data/0", bytes(12))
        archive.writestr("run/version", b"3\n")


@cache
def _distributed() -> Mapping[str, bytes]:
    """The files of a distributed checkpoint."""
    import warnings

    from torch.distributed.checkpoint.state_dict_saver import save

    state = {"gamma": 0.9, "base_lrs": [1.0], "last_epoch": 3, "_last_lr": [0.729]}
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that one process saves
        save({"scheduler": state}, checkpoint_id=folder, no_dist=True)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


SPEC = b"kind: HoldLR\n"


def settings(data: bytes) -> None:
    """Check a folder by the settings in a pyproject.toml."""
    from olm.cli import Misuse
    from olm.cli.files.settings import settings as read

    mode, data = _split(data)
    with TemporaryDirectory() as folder, chdir(folder):
        Path("a.olm.yaml").write_bytes(SPEC)
        section = b"[tool.olm]\n" if mode % 2 else b""
        Path("pyproject.toml").write_bytes(section + data)
        with suppress(Misuse):
            read("pyproject.toml")
        _run("check", "--jobs=1", ".")


GIT_FILES = (".gitignore", ".git", ".git/info/exclude", "sub/.gitignore", "g/commondir")
SEPARATOR = b"\0\0"


def git(data: bytes) -> None:
    """Check a folder with any bytes in the files of git that olm reads."""
    mode, data = _split(data)
    first, _, second = data.partition(SEPARATOR)
    with TemporaryDirectory() as folder, chdir(folder):
        name = GIT_FILES[mode % len(GIT_FILES)]
        files = {name: first, "sub/dir/a.olm.yaml": SPEC, "b c!.olm.yaml": SPEC}
        if name == "g/commondir":
            files |= {".git": b"gitdir: g", "info/exclude": second}
        elif name == ".git":
            files |= {"g/info/exclude": second, "sub/.gitignore": second}
        else:
            files |= {".git/HEAD": b"", "sub/dir/.gitignore": second}
        for file, content in files.items():
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_bytes(content)
        _run("check", "--isolated", ".", "sub/dir")


IMPORTED = (".yaml", ".json", ".toml", ".py", ".sh", ".cfg", ".gin", ".ipynb", ".md", ".bin", "")
"""The ends of the names of configurations, by which their syntax is chosen."""

ANSWERS = (
    (),
    ("--nearest", "--total-steps=90", "--steps-per-epoch=9", "--learning-rate=0.1"),
    ("--dataset-size=100", "--world-size=2", "--interval=step", "--groups"),
)
"""The options of an import that an input may have."""


def imports(data: bytes) -> None:
    """Import the configuration of another framework, of any format or as one of a format."""
    from olm.foreign.configs._formats import formats

    mode, data = _split(data)
    framework, data = _split(data)
    names = ["", *formats()]
    options = [*ANSWERS[mode // len(IMPORTED) % len(ANSWERS)]]
    if name := names[framework % len(names)]:
        options.append(f"--from={name}")
    with TemporaryDirectory() as folder, chdir(folder):
        file = f"run{IMPORTED[mode % len(IMPORTED)]}"
        Path(file).write_bytes(data)
        _run("import", file, "--out=out.olm.yaml", *options)
        if Path("out.olm.yaml").exists():
            _run("check", "--isolated", "out.olm.yaml")


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "specs": specs,
    "toml": toml,
    "states": states,
    "checkpoints": checkpoints,
    "settings": settings,
    "git": git,
    "imports": imports,
}
"""Name → what to do with an input."""


def _run(*arguments: str) -> None:
    """Run the command, which reports what is wrong with what it reads."""
    from olm.cli import main

    # As on a terminal, text that cannot be encoded raises.
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        status = main(list(arguments))
    if status not in range(4):
        raise AssertionError(f"olm {' '.join(arguments)} exits with {status}")


def _split(data: bytes) -> tuple[int, bytes]:
    return (data[0], data[1:]) if data else (0, data)
