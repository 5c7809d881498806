"""Every sort of problem: a spec in ``problems/`` and, beside it, the output of ``olm check``.

After an intended change of a message, ``OLM_WRITE_EXPECTED=1 pytest tests/test_problems.py`` writes
the new output; review the difference before committing it.
"""

import os
import re
from pathlib import Path

import pytest

import olm.text.document
from codes import codes_of_errors, codes_of_imports
from olm.checking import lint
from olm.cli import FINE, PROBLEMS, main
from parsers import PARSERS

HERE = Path(__file__).resolve().parent / "problems"
CASES = sorted(path.name for path in HERE.iterdir() if path.suffix in (".yaml", ".json"))
HEADING = re.compile(r"^(\S+\.olm\.\w+):\d+:\d+: (?:error|warning)\[([a-z-]+)\]: ", re.MULTILINE)
ERROR = re.compile(r"^\S+:\d+:\d+: error\[", re.MULTILINE)

OF_FILES = {"at", "plugin", "schema", "size", "unreadable"}
"""Codes that no small file in a folder can show; other tests and their pages do."""


def said_of(name, capsys, monkeypatch):
    monkeypatch.chdir(HERE)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    status = main(["check", name])
    return status, capsys.readouterr().out


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("name", CASES)
def test_a_problem_is_reported_as_expected(name, parser, capsys, monkeypatch):
    monkeypatch.setattr(olm.text.document, "LOADER", PARSERS[parser])
    status, said = said_of(name, capsys, monkeypatch)
    path = HERE / f"{name.partition('.')[0]}.expected"
    if os.environ.get("OLM_WRITE_EXPECTED") and parser == "libyaml":
        path.write_text(said, encoding="utf-8", newline="\n")
    expected = path.read_text(encoding="utf-8")
    assert status == (PROBLEMS if ERROR.search(expected) else FINE)
    assert said == expected


def test_each_expected_text_belongs_to_a_case():
    assert {path.stem for path in HERE.glob("*.expected")} == {
        name.partition(".")[0] for name in CASES
    }


def codes_shown():
    texts = (path.read_text(encoding="utf-8") for path in HERE.glob("*.expected"))
    return {code for text in texts for _, code in HEADING.findall(text)}


def test_every_code_has_a_case():
    # The refusals of `olm import` and `olm export` have the examples of their pages.
    imports = codes_of_imports() - OF_FILES
    assert codes_of_errors() - codes_shown() - imports == OF_FILES


def test_every_default_warning_has_a_case():
    plain = {code for code in lint.codes() if lint.needs(code) != "rates"}
    assert plain - codes_shown() == set()


def test_problems_of_several_files_do_not_hide_each_other(capsys, monkeypatch):
    _, said = said_of(".", capsys, monkeypatch)
    assert {name for name, _ in HEADING.findall(said)} == set(CASES)
    assert f" in {len(CASES)} of {len(CASES)} files\n" in said


def test_a_valid_spec_prints_no_excerpt(tmp_path, capsys):
    path = tmp_path / "fine.olm.yaml"
    path.write_text("kind: LinearLR\ntotal_steps: 1000\n")
    assert main(["check", str(path)]) == FINE
    assert capsys.readouterr().out == "1 file is fine\n"
