"""Run olm on random input, which atheris directs at code that no input has reached yet.

    python3 tools/fuzz.py                 every target in turn, for ten minutes each
    python3 tools/fuzz.py states git      only these targets
    python3 tools/fuzz.py --seconds 60    for one minute each
    python3 tools/fuzz.py specs --replay FILE   only this input, without atheris

The first run creates `.venv-fuzz`. The targets are in `tools/fuzz_targets.py`: specs, TOML, states,
checkpoints, settings, the files of git, and configurations to import. An input is a finding if
anything raises but olm's own errors and OSError, if it takes longer than five seconds under
instrumentation, or if it needs 500 MiB more than the process had. Findings are written to
`.fuzz/TARGET/found`. Add each finding that you fix to `tests/fuzz/TARGET`, which
`tests/test_fuzz.py` replays. Inputs that reach new code are kept in `.fuzz/TARGET/corpus` for the
next run. The exit status is 1 if there are findings.
"""

import argparse
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from environment import FUZZ, ROOT, enter
from fuzz_targets import IMPORTED, LIMIT_MIB, LIMIT_S, SUFFIXES, TARGETS, attempt

WORK, CORPUS = ROOT / ".fuzz", ROOT / "tests" / "fuzz"
LONGEST = 16 * 1024
"""The longest input, in bytes; tests/test_odd_input.py measures time on longer ones."""


def main(args: list[str]) -> int:
    """Fuzz or replay, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=600, help="for each target; default 600")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="only this input")
    parser.add_argument("--instrumented", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(args)
    targets = given.targets or [*TARGETS]
    if unknown := {*targets} - {*TARGETS}:
        parser.error(f"unknown targets: {', '.join(sorted(unknown))}")
    sys.path.insert(0, str(ROOT))
    if given.replay:
        for target in targets:
            attempt(target, given.replay.read_bytes())
        return 0
    enter(FUZZ)
    if given.instrumented:
        return _instrumented(targets[0], given.seconds)
    return max([_run(target, given.seconds) for target in targets])


def _run(target: str, seconds: int) -> int:
    """Fuzz a target in another process, print a summary, and return the exit status."""
    corpus, found = WORK / target / "corpus", WORK / target / "found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    before = {*found.iterdir()}
    for number, seed in enumerate(_seeds(target)):
        (corpus / f"seed-{number:04}").write_bytes(seed)
    (WORK / target / "words").write_text("".join(_words()), encoding="utf-8")
    print(f"{target}: {seconds} s from {len([*corpus.iterdir()])} inputs", flush=True)
    command = [sys.executable, __file__, target, "--instrumented", f"--seconds={seconds}"]
    log = _log(command, seconds)
    new = sorted({*found.iterdir()} - before)
    for line in _summary(log, new):
        print(line, flush=True)
    return 1 if new or "stat::" not in log else 0


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


def _seeds(target: str) -> Iterator[bytes]:
    """The inputs in the repository, with the byte that selects the options first."""
    for file in sorted((CORPUS / target).iterdir()):
        yield file.read_bytes()
    if target == "specs":
        files = [*(ROOT / "specs").rglob("*.olm.yaml"), *(ROOT / "tests" / "problems").iterdir()]
        for file in sorted(files):
            data = file.read_bytes()
            if file.suffix in (".yaml", ".json") and len(data) < LONGEST:
                yield bytes([SUFFIXES.index(f".olm{file.suffix}")]) + data
    if target == "imports":
        for folder in ("imports/*", "import_problems"):
            for file in sorted((ROOT / "tests").glob(f"{folder}/*.*")):
                data = file.read_bytes()
                if file.suffix in IMPORTED and len(data) < LONGEST:
                    yield bytes([IMPORTED.index(file.suffix), 0]) + data


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


def _instrumented(target: str, seconds: int) -> int:
    import atheris

    with atheris.instrument_imports(include=["olm", "yaml", "tomllib", "pathspec"]):
        import olm.checking.check
        import olm.checking.fix
        import olm.checking.lint
        import olm.cli.files.settings
        import olm.cli.formats
        import olm.foreign.checkpoints
        import olm.foreign.configs._formats
        import olm.foreign.configs._importing
        import olm.foreign.configs._source
        import olm.foreign.states
        import olm.text.part
        import olm.text.toml
        import olm.train.checkpoints
        import olm.train.schedulers.schedule_lr  # imported here to be instrumented
        from olm.cli import verb_modules
        from olm.kinds import KINDS

        # Modules that olm imports only on use must be instrumented as well.
        list(KINDS)
        verb_modules()
        olm.foreign.states.readers()
        olm.foreign.configs._formats.formats()
        for form in {*olm.foreign.configs._source.FORMS.values()}:
            olm.foreign.configs._source.reader(form)
        list(map(olm.cli.formats.named, olm.cli.formats.names()))
        list(map(olm.checking.lint.rule, olm.checking.lint.codes()))
    for seed in _seeds(target):
        attempt(target, seed)
    had = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-rss_limit_mb={had + LIMIT_MIB}",
        f"-timeout={LIMIT_S}",
        f"-dict={WORK / target / 'words'}",
        f"-artifact_prefix={WORK / target / 'found'}/",
        "-print_final_stats=1",
    ]
    command = [sys.argv[0], *options, str(WORK / target / "corpus")]
    atheris.Setup(command, partial(attempt, target))
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
