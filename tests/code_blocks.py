"""The code blocks of a Markdown page, and what runs them: see ``olm.checking.guides``."""

import doctest
import json
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

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
_PLACEHOLDER = re.compile(r"(?<![\w$.-])[A-Z]{4,}(?![\w.-])")
"""Such as HOST or OWNER, in a command that only the reader can complete."""

NOT_RUN = {"brew", "git", "pip", "pipx", "pre-commit", "python3", "uv", "uvx"}
"""Commands that need the network, or belong to the repository, which has tests of its own."""

PYTHON = [sys.executable, "-W", "ignore"]
PROGRAMS = {
    "olm": [*PYTHON, "-m", "olm"],
    "python": PYTHON,
    "torchrun": [*PYTHON, "-m", "torch.distributed.run"],
}


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


def run(page, folder, name="page"):
    """Run the code blocks of a page one after the other, in a folder."""
    names = {"__name__": "__main__"}
    for block in blocks(page):
        where = f"{name}:{block.line}"
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text, encoding="utf-8")
        _RUN.get(block.language, _unknown)(block, folder, names, where)


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
        words = shlex.split(command, comments=True)
        if words[0] == "python3":
            assert (ROOT / words[1]).exists(), f"{where}: there is no {words[1]}"
        if words[0] in NOT_RUN or _PLACEHOLDER.search(command):
            continue
        _command(command, words, shown, folder, where)


def _command(command, words, shown, folder, where):
    """Run a command; olm's prints errors, too, as in a terminal, and may find problems."""
    is_olm = words[0] == "olm"
    environment = variables(PYTHONPATH=str(ROOT), COLUMNS="96")
    arguments = [*PROGRAMS[words[0]], *words[1:]]
    done = subprocess.run(
        arguments, cwd=folder, env=environment, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT if is_olm else subprocess.PIPE,
    )  # fmt: skip
    out = f"{where}: {command}\n{done.stdout}{done.stderr or ''}"
    assert done.returncode == 0 or (is_olm and shown and done.returncode == 1), out
    assert "Traceback" not in done.stdout, out
    if shown:
        assert doctest.OutputChecker().check_output(
            _lines(shown), _lines(done.stdout), doctest.ELLIPSIS
        ), f"{out}\nis not what the page shows:\n{shown}"


def _lines(text):
    return "".join(f"{line.rstrip(BLANKS)}\n" for line in text.rstrip().splitlines())


def _yaml(block, folder, names, where):
    if re.search(r"^kind:", block.text, re.MULTILINE):
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
