"""Every refusal of ``olm import``: a file in ``import_problems/`` and, beside it, what is printed.

After an intended change of a message, ``OLM_WRITE_EXPECTED=1 pytest tests/test_import_problems.py``
writes the new text; review the difference before committing it.
"""

import os
import re
from pathlib import Path

import pytest

from codes import codes_in
from olm.cli import PROBLEMS, main
from olm.foreign.configs._formats import FOLDER

HERE = Path(__file__).resolve().parent / "import_problems"
CASES = sorted(path.name for path in HERE.iterdir() if path.suffix != ".expected")
OPTIONS = {"between-steps.sh": ["--steps-per-epoch", "7"]}
HEADING = re.compile(r"^(\S+):\d+:\d+: error\[([a-z-]+)\]: ", re.MULTILINE)
CARETS = re.compile(r"^ *\| +\^+", re.MULTILINE)

OF_FILES = {"at", "depth", "size", "unreadable"}
"""Codes that no small file in a folder can show."""


def printed(name, capsys, monkeypatch):
    monkeypatch.chdir(HERE)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    status = main(["import", name, *OPTIONS.get(name, [])])
    out, err = capsys.readouterr()
    assert (status, out) == (PROBLEMS, "")
    return err


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_is_printed_as_expected(name, capsys, monkeypatch):
    err, path = printed(name, capsys, monkeypatch), HERE / f"{name.partition('.')[0]}.expected"
    if os.environ.get("OLM_WRITE_EXPECTED"):
        path.write_text(err, encoding="utf-8", newline="\n")
    assert err == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_the_carets_of_a_refusal_are_at_a_key_or_a_value(name):
    text = (HERE / f"{name.partition('.')[0]}.expected").read_text(encoding="utf-8")
    code = next(code for code in CODES if name.startswith(code))
    assert {found for _, found in HEADING.findall(text)} == {code}
    # Only what the whole file lacks has no key.
    assert CARETS.search(text) or code == "unknown-format"


def codes():
    files = (path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))
    return {code for text in files for code in codes_in(text)} | {"range"}


CODES = sorted(codes(), key=len, reverse=True)


def test_every_code_has_a_case():
    texts = (path.read_text(encoding="utf-8") for path in HERE.glob("*.expected"))
    assert {*CODES} - {code for text in texts for _, code in HEADING.findall(text)} == OF_FILES


def test_each_expected_text_belongs_to_a_case():
    names = {name.partition(".")[0] for name in CASES}
    assert {path.stem for path in HERE.glob("*.expected")} == names
