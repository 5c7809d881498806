"""The code blocks of a Markdown page, and what runs them: see ``olm.checking.guides``."""

import doctest
import json
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

import olm
from checkout import variables

ROOT = Path(__file__).resolve().parent.parent
BLANKS = " \u2800"
"""What the line of a curve ends with; a page leaves it out."""

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.REPORT_ONLY_FIRST_FAILURE

_BLOCK = re.compile(r"^( *)```([a-z]*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w./-]+\.[a-z]+)\n")
_COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_TORCH = re.compile(r"^ *(?:>>> )?import torch\b|^\$ torchrun ", re.MULTILINE)
_PLACEHOLDER = re.compile(r"(?<![\w$.-])[A-Z]{4,}(?![\w.-])")
"""Such as HOST or OWNER, in a command that only the reader can complete."""

NOT_RUN = {"brew", "git", "pip", "pipx", "pre-commit", "python3", "uv", "uvx"}
"""Commands that need the network, or belong to the repository, which has tests of its own."""

_PYTHON = f"{sys.executable} -W ignore"
_SHELL = f"""set -o pipefail
olm() {{ {_PYTHON} -m olm "$@"; }}
python() {{ {_PYTHON} "$@"; }}
torchrun() {{ {_PYTHON} -m torch.distributed.run "$@"; }}
"""
"""The commands as those of this Python."""


@dataclass(frozen=True)
class Block:
    """A code block of a page."""

    language: str
    text: str
    line: int
    """Where its text begins, counted from 1."""

    @property
    def file(self):
        """The file that the block is, if its first line is a comment with a name."""
        match = _FILE.match(self.text)
        return match[1] if match else None


def blocks(page):
    """The code blocks of a page, in its order."""
    return [
        Block(match[2], re.sub(rf"^{match[1]}", "", match[3], flags=re.MULTILINE), line)
        for match in _BLOCK.finditer(page)
        for line in [page.count("\n", 0, match.start(3)) + 1]
    ]


def skip_without_torch(page):
    """Skip the test of a page whose code imports torch, where that is not installed."""
    if _TORCH.search(page) and not find_spec("torch"):
        pytest.skip("torch is not installed")


def run(page, folder, name="page"):
    """Run the code blocks of a page one after the other, in a folder.

    Raises:
        AssertionError: a block does not do what the page shows.
    """
    names = {"__name__": "__main__"}
    for block in blocks(page):
        where = f"{name}:{block.line}"
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text, encoding="utf-8")
        _RUN.get(block.language, _unknown)(block, folder, names, where)


def repository(folder):
    """Let a folder have all that the repository has, for a page that is read there."""
    for path in ROOT.iterdir():
        if not path.name.startswith("."):
            (folder / path.name).symlink_to(path)


def commands(text):
    """The commands in a console block, each with what it prints."""
    return [(command.replace("\\\n", ""), shown) for command, shown in _COMMAND.findall(text)]


def _python(block, folder, names, where):
    if block.file:
        compile(block.text, where, "exec")
    elif ">>> " in block.text:
        examples = doctest.DocTestParser().get_doctest(block.text, names, where, where, 0)
        runner = doctest.DocTestRunner(optionflags=FLAGS)
        report = []
        runner.run(examples, out=report.append, clear_globs=False)
        names.update(examples.globs)
        assert runner.failures == 0, "".join(report)
    else:
        exec(compile(block.text, where, "exec"), names)


def _console(block, folder, names, where):
    assert commands(block.text), f"{where} has no command"
    for command, shown in commands(block.text):
        program, *words = shlex.split(command, comments=True)
        if program == "python3":
            assert (ROOT / words[0]).exists(), f"{where}: there is no {words[0]}"
        if is_run(command):
            out = output(command, folder, may_fail=bool(shown))
            assert not shown or shows(shown, out), (
                f"{where}: {command}\n{out}\nis not what the page shows:\n{shown}"
            )


def is_run(command):
    """Whether a test runs a command."""
    return shlex.split(command)[0] not in NOT_RUN and not _PLACEHOLDER.search(command)


def output(command, folder, may_fail=False):
    """What a command prints; olm's prints errors, too, as in a terminal.

    Args:
        command: what a shell runs.
        folder: where it runs.
        may_fail: whether `olm` may end with 1, because it found problems.
    """
    is_olm = bool(re.search(r"\bolm ", command))
    done = subprocess.run(
        ["bash", "-c", _SHELL + command],
        cwd=folder,
        env=variables(PYTHONPATH=str(ROOT), COLUMNS="96"),
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if is_olm else subprocess.PIPE,
    )
    report = f"{command}\n{done.stdout}{done.stderr or ''}"
    assert done.returncode == 0 or (is_olm and may_fail and done.returncode == 1), report
    assert "Traceback" not in done.stdout, report
    return _lines(done.stdout)


def shows(shown, out):
    """Whether a page shows what a command prints."""
    return doctest.OutputChecker().check_output(_lines(shown), out, doctest.ELLIPSIS)


def _lines(text):
    return "".join(f"{line.rstrip(BLANKS)}\n" for line in text.rstrip().splitlines())


def _yaml(block, folder, names, where):
    if block.file and block.file.startswith("bad"):
        assert "kind:" in block.text
    elif re.search(r"^kind:", block.text, re.MULTILINE):
        olm.loads(block.text)
    else:
        yaml.safe_load(block.text)


def _json(block, folder, names, where):
    document = json.loads(block.text)
    if isinstance(document, dict) and "kind" in document:
        olm.parse(document)


def _toml(block, folder, names, where):
    tomllib.loads(block.text)


def _text(block, folder, names, where):
    """It is only shown."""


def _unknown(block, folder, names, where):
    raise AssertionError(f"{where}: nothing runs a block of `{block.language}`")


_RUN = {
    "console": _console,
    "json": _json,
    "lua": _text,
    "python": _python,
    "text": _text,
    "toml": _toml,
    "yaml": _yaml,
}
