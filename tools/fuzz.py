"""Run `olm check` on random input, which atheris directs at code that no input has reached yet.

    python3 tools/fuzz.py                 for ten minutes
    python3 tools/fuzz.py --seconds 60    for one minute
    python3 tools/fuzz.py --replay FILE   only this input, without atheris, to debug a finding

The first run creates `.venv-fuzz`. Every input is read as YAML, JSON or TOML, whole or at a place
inside, checked with every lint rule, fixed, and reported in every format. An input is a finding if
anything raises, takes longer than five seconds under instrumentation or needs more than 500 MiB, or
if a fix leaves its problem. Findings are written to `.fuzz/found`; add a test case for each finding
that you fix. Inputs that reach new code are kept in `.fuzz/corpus` for the next run. The exit
status is 1 if there are findings.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from environment import FUZZ, ROOT, enter

WORK = ROOT / ".fuzz"
CORPUS, FOUND, DICTIONARY = WORK / "corpus", WORK / "found", WORK / "words"
LONGEST = 16 * 1024
"""The longest input, in bytes; tests/test_odd_input.py measures time on longer ones."""
LIMIT_MIB, LIMIT_S = 500, 5

SUFFIXES = (".olm.yaml", ".olm.json", ".toml")
PLACES = ((), ("schedulers", 0), ("a", "b"))
LINTS = (True, False)


def main(args: list[str]) -> int:
    """Fuzz or replay, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=600, help="the duration; default 600")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="only this input")
    parser.add_argument("--instrumented", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(args)
    sys.path.insert(0, str(ROOT))
    if given.replay:
        attempt(given.replay.read_bytes())
        return 0
    enter(FUZZ)
    return _instrumented(given.seconds) if given.instrumented else _run(given.seconds)


def attempt(data: bytes) -> None:
    """Do everything that olm does with a file to an input, whose first byte selects the options."""
    from olm.checking.check import Options, check
    from olm.checking.fix import fixed_text, with_sound_fixes
    from olm.cli.formats import Look, Tally, named, names
    from olm.text.document import read

    mode, data = (data[0], data[1:]) if data else (0, data)
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


def _run(seconds: int) -> int:
    """Fuzz in another process, print a summary, and return the exit status."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    FOUND.mkdir(exist_ok=True)
    before = {*FOUND.iterdir()}
    for number, seed in enumerate(_seeds()):
        (CORPUS / f"seed-{number:04}").write_bytes(seed)
    DICTIONARY.write_text("".join(_words()), encoding="utf-8")
    print(f"fuzzing for {seconds} s from {len([*CORPUS.iterdir()])} inputs", flush=True)
    command = [sys.executable, __file__, "--instrumented", f"--seconds={seconds}"]
    log = _log(command, seconds)
    new = sorted({*FOUND.iterdir()} - before)
    for line in _summary(log, new):
        print(line)
    return 1 if new else 0


def _log(command: list[str], seconds: int) -> str:
    """The output of the process; meanwhile, the terminal shows the time and the last line."""
    lines, start = [], time.monotonic()
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if sys.stderr.isatty():
                spent = time.monotonic() - start
                print(f"\r{spent:.0f} of {seconds} s  {line.strip()[:60]:60}", end="", flush=True)
    return "".join(lines)


STATISTICS = {
    "inputs tried": r"stat::number_of_executed_units: +(\d+)",
    "branches reached": r" ft: (\d+)",
    "inputs kept": r"stat::new_units_added: +(\d+)",
    "slowest, seconds": r"stat::slowest_unit_time_sec: +(\d+)",
    "memory, MiB": r"stat::peak_rss_mb: +(\d+)",
}
"""The statistics of a run, and the patterns that find them in the log of libFuzzer."""


def _summary(log: str, new: list[Path]) -> Iterator[str]:
    for name, pattern in STATISTICS.items():
        numbers = re.findall(pattern, log)
        yield f"{name:18}{int(numbers[-1]):>12,}" if numbers else f"{name:18}     unknown"
    yield f"{'findings':18}{len(new):>12,}"
    for path in new:
        yield f"  {path.relative_to(ROOT)}"
    if new or "stat::" not in log:
        yield log[-3000:]


def _seeds() -> Iterator[bytes]:
    """The specs and the test cases of this repository, with the byte that selects their format."""
    files = [*(ROOT / "specs").rglob("*.olm.yaml"), *(ROOT / "tests" / "problems").iterdir()]
    for file in sorted(files):
        data = file.read_bytes()
        if file.suffix in (".yaml", ".json") and len(data) < LONGEST:
            yield bytes([SUFFIXES.index(f".olm{file.suffix}")]) + data
    yield b"\x02" + b'kind = "LinearLR"\ntotal_steps = 10\n'
    yield b"\x08" + b'[[a]]\nx = 1\n[a.b]\nkind = "LinearLR"\ntotal_steps = "10"\n'
    yield b"\x06" + b"a: {b: {kind: LinearLR, total_step: 3}, c: &x [*x]}\n"


def _words() -> Iterator[str]:
    """The words in specs, in the format of a libFuzzer dictionary."""
    from olm.fields.synonyms import FOREIGN
    from olm.kinds import KINDS

    fields = {name for model in KINDS.values() for name in model.model_fields}
    signs = ["<<: ", "&a ", "*a", "!!float ", "---\n", "%YAML 1.2\n", "# olm: ignore", "? ", "| "]
    words = [
        *KINDS,
        *sorted(fields),
        *FOREIGN,
        "expect",
        "base_lrs",
        "digest",
        "last_epoch",
        *signs,
    ]
    for word in words:
        escaped = "".join(f"\\x{byte:02x}" for byte in word.encode())
        yield f'"{escaped}"\n'


def _instrumented(seconds: int) -> int:
    import atheris

    with atheris.instrument_imports(include=["olm", "yaml", "tomllib"]):
        import olm.checking.check
        import olm.checking.fix
        import olm.checking.lint
        import olm.cli.formats
        import olm.text.part
        import olm.text.toml  # imported here to be instrumented
        from olm.kinds import KINDS

        # Modules that olm imports only on use must be instrumented as well.
        list(KINDS)
        list(map(olm.cli.formats.named, olm.cli.formats.names()))
        list(map(olm.checking.lint.rule, olm.checking.lint.codes()))

    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-rss_limit_mb={LIMIT_MIB}",
        f"-timeout={LIMIT_S}",
        f"-dict={DICTIONARY}",
        f"-artifact_prefix={FOUND}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(CORPUS)], attempt)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
