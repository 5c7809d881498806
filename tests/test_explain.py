"""``olm explain`` and the pages of codes: each is there, is true, and looks as it should."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

import olm.checking.pages
from codes import codes_in, codes_of_errors, codes_of_lints
from olm.checking.guides import guide, guides
from olm.checking.pages import Example, codes, page
from olm.cli import FINE, MISUSE, PROBLEMS, main
from olm.cli.markdown import WIDTH

ROOT = Path(__file__).resolve().parents[1]
HEADING = re.compile(r"^\S+:\d+:\d+: (error|warning)\[([a-z-]+)\]: ", re.MULTILINE)
SUMMARY = re.compile(r"\n1 (problem|warning) in 1 file\n(`olm check --fix` .*\n)?\Z")
COLOUR = re.compile("\x1b\\[[0-9;]*m")

LINT = '''\
"""The rate rises after the end of the run.

Nobody trains there, so that
it is not seen.

What to do.

Bad:

```yaml
kind: LinearLR
total_steps: 10
```

Good:

```json
{"kind": "ConstantLR"}
```
"""

import no_such_package
'''


@pytest.fixture(autouse=True)
def _plain(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


@pytest.fixture
def lint(tmp_path, monkeypatch):
    """A folder with one lint, in the place of ours."""
    folder = tmp_path / "lint" / "rates"
    folder.mkdir(parents=True)
    (folder / "late_rise.py").write_text(LINT)
    (folder / "__init__.py").write_text('"""What lints are."""\n')
    monkeypatch.setattr(olm.checking.pages, "LINTS", folder.parent)


def explained(code, capsys):
    assert main(["explain", code]) == FINE
    return capsys.readouterr().out


def checked(shown, name, capsys):
    """The exit status of a check of an example of a page, and what it prints."""
    example = getattr(shown, name)
    if example.language == "sh":
        command = f'olm() {{ {sys.executable} -m olm "$@"; }}; {example.text}'
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
        assert done.stderr == ""
        return done.returncode, done.stdout
    path = Path(f"{name}.olm.{example.language}")
    path.write_text(example.text, encoding="utf-8")
    lint = ["--lint"] * (shown.severity == "warning")
    return main(["check", *lint, str(path)]), capsys.readouterr().out


def test_every_code_has_a_page_and_every_page_is_of_a_code():
    assert codes() == sorted(codes_of_errors() | codes_of_lints())


def test_codes_are_found_in_every_call_that_makes_a_finding():
    source = """
Problem("a-b", message)
self.findings.note("c", f"{message}")
raise _one_error(("kind",), data, "d", message, "hint")
at(("kind",), kind, invalid("e", "must be f"))
invalid(code, "no code"), stop("This is none.", "nor-this"), other("g", "h")
"""
    assert sorted(codes_in(source)) == ["a-b", "c", "d", "e"]


@pytest.mark.parametrize("code", codes())
def test_the_bad_example_gets_exactly_this_finding(code, capsys):
    shown = page(code)
    status, out = checked(shown, "bad", capsys)
    assert HEADING.findall(out) == [(shown.severity, code)]
    assert (status == PROBLEMS) == (shown.severity == "error")


@pytest.mark.parametrize("code", codes())
def test_the_good_example_gets_none(code, capsys):
    assert checked(page(code), "good", capsys) == (FINE, "1 file is fine\n")


@pytest.mark.parametrize("code", codes())
def test_the_bad_example_is_shown_with_what_check_says_of_it(code, capsys):
    bad = page(code).bad
    said = SUMMARY.sub("", checked(page(code), "bad", capsys)[1])
    assert bad.said == (said if bad.language == "sh" else "")
    before, said, after = explained(code, capsys).partition(indent(said.rstrip(), "  "))
    assert said
    assert max(map(len, (before + after).splitlines())) <= WIDTH


@pytest.mark.parametrize("code", codes())
def test_a_page_has_its_title_its_text_and_both_examples(code, capsys):
    shown = page(code)
    out = explained(code, capsys)
    assert out.startswith(f"{shown.severity}[{code}]: {shown.title}\n\n")
    assert " ".join(shown.text.split()) in " ".join(out.split())
    assert f"\n\nbad\n{indent(shown.bad.text, '  ')}\n" in out
    assert out.endswith(f"\n\ngood\n{indent(shown.good.text, '  ')}")


def test_colours_change_nothing_else(capsys, monkeypatch):
    plain = explained("syntax", capsys)
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = explained("syntax", capsys)
    assert coloured.startswith("\x1b[1;31merror[syntax]\x1b[0m: ")
    assert COLOUR.sub("", coloured) == plain


def test_without_a_topic_guides_and_codes_are_listed_in_a_line_each(lint, capsys):
    assert main(["explain"]) == FINE
    listed, errors, warnings, _ = capsys.readouterr().out.split("\n\n")
    head, *rows = listed.splitlines()
    assert head == "GUIDES"
    assert [row.split(maxsplit=1) for row in rows] == [[n, guide(n).title] for n in guides()]
    assert max(map(len, rows)) <= WIDTH
    assert re.fullmatch(r"WARNINGS\n  late-rise +the rate rises after the end of the run", warnings)
    head, *rows = errors.splitlines()
    assert head == "ERRORS"
    expected = [code for code in codes() if code != "late-rise"]
    assert [row.split()[0] for row in rows] == expected
    assert [row.split(maxsplit=1)[1] for row in rows] == [page(code).title for code in expected]
    assert max(map(len, rows)) <= WIDTH


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("unknown-feld", "did you mean `unknown-field`?"),
        ("resmue", "did you mean `resume`?"),
        ("../pages/tab", "`olm explain` lists them"),
        ("x" * 99, "`olm explain` lists them"),
    ],
)
def test_an_unknown_topic_is_misuse(code, hint, capsys):
    assert main(["explain", code]) == MISUSE
    out, error = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(
        rf"olm explain: there is no guide or code `[^`]+`: {re.escape(hint)}\n", error
    )


def test_the_page_of_a_lint_is_its_docstring(lint, capsys):
    shown = page("late-rise")
    assert (shown.code, shown.severity) == ("late-rise", "warning")
    assert shown.title == "the rate rises after the end of the run"
    assert shown.text == "Nobody trains there, so that\nit is not seen.\n\nWhat to do."
    assert shown.bad == Example("yaml", "kind: LinearLR\ntotal_steps: 10\n")
    assert shown.good == Example("json", '{"kind": "ConstantLR"}\n')
    assert explained("late-rise", capsys) == (
        "warning[late-rise]: the rate rises after the end of the run\n\n"
        "Nobody trains there, so that it is not seen.\n\nWhat to do.\n\n"
        "bad\n  kind: LinearLR\n  total_steps: 10\n\n"
        'good\n  {"kind": "ConstantLR"}\n'
    )


def test_without_lints_there_are_only_errors(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(olm.checking.pages, "LINTS", tmp_path / "none")
    assert main(["explain"]) == FINE
    assert "WARNINGS" not in capsys.readouterr().out


def test_there_is_no_page_without_a_code():
    with pytest.raises(KeyError, match="no-such-code"):
        page("no-such-code")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Bad:", "Wrong:"),
        ("Good:", ""),
        ("```yaml", "```python"),
        ("```json", "~~~json"),
        ("total_steps: 10\n```\n", "total_steps: 10\n"),
        ("\n\nNobody", " Nobody"),
    ],
)
def test_a_page_of_another_shape_is_refused(old, new, lint):
    (olm.checking.pages.LINTS / "rates" / "late_rise.py").write_text(LINT.replace(old, new, 1))
    with pytest.raises(ValueError, match="page of `late-rise` must be a title"):
        page("late-rise")


def test_the_pages_and_the_guides_are_in_a_wheel(tmp_path):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "olm", tmp_path / "olm")
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "sdist.py", tmp_path / "tools")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", "there"]
    command = [sys.executable, "-m", "pip", "install", *options, "."]
    subprocess.run(command, check=True, capture_output=True)
    program = """
import olm.checking.guides as g, olm.checking.pages as p
print(p.__file__, *(p.page(c).code for c in p.codes()), *(g.guide(n).name for n in g.guides()))
"""
    here = [sys.executable, "-c", f"import sys; sys.path[:0] = ['there']\n{program}"]
    done = subprocess.run(here, check=True, capture_output=True, text=True, cwd=tmp_path)
    file, *found = done.stdout.split()
    assert Path(file).is_relative_to(tmp_path / "there")
    assert found == [*codes(), *guides()]
