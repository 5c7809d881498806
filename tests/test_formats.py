"""What `olm check --format ...` writes, held to the schemas that are published of each format."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft7Validator

import olm.cli.formats
from olm.checking.check import Checked
from olm.cli import FINE, PROBLEMS, main
from olm.cli.formats import Look, Tally, in_help, named, names
from olm.cli.formats._summary import MAX_BYTES, markdown
from olm.problem import Fix, Place, Problem
from olm.text.document import Document
from olm.text.source import Text
from terminals import on_a_terminal

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "tests" / "formats"

GOOD = "kind: LinearLR\ntotal_steps: 100\n"
WRONG = "kind: LinearLR\ntotal_step: 100\n"
TWICE = "kind: LinearLR\ntotal_steps: 100\ntotal_steps: 200\n"
VARIABLES = ("FORCE_COLOR", "NO_COLOR", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI_PROJECT_DIR")

FINDINGS = Draft7Validator(json.loads((ROOT / "schemas" / "findings.json").read_text()))
SARIF = Draft4Validator(json.loads((HERE / "sarif-schema-2.1.0.json").read_text()))
QUALITY = Draft7Validator(json.loads((HERE / "code-quality.json").read_text()))
JUNIT = xmlschema.XMLSchema(str(HERE / "junit-10.xsd"))

ODD_NAMES = [
    "a b.olm.yaml",
    "学习率-é-😀.olm.yaml",
    "new\nline\r.olm.yaml",
    "percent%20,colon:hash#?.olm.yaml",
    "quote\"'<&>`|.olm.yaml",
    "escape\x1b[2J\t\x85\u2028.olm.yaml",
    "back\\slash.olm.yaml",
    "not-utf-8-\udcff.olm.yaml",
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, and an environment that says nothing."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def written(form, *results, strict=False):
    """What a format writes of results, counted as the command counts them."""
    look = Look(tally=Tally(), is_strict=lambda file: strict)

    def counted():
        for result in results:
            look.tally.add(result)
            yield result

    return "".join(named(form).report(counted(), look))


def result(*problems, file="a.olm.yaml", content=""):
    return Checked(Document(Text(file, content)), problems)


def check(form, capsys, *paths):
    """The exit status, and what is printed."""
    status = main(["check", "--format", form, *paths])
    out, error = capsys.readouterr()
    assert error == ""
    return status, out


def parsed(form, text):
    """What a document says, once it is known to be valid."""
    assert text.isascii()
    if form == "junit":
        JUNIT.validate(text)
        return ElementTree.fromstring(text)
    value = json.loads(text)
    {"json": FINDINGS, "sarif": SARIF, "gitlab": QUALITY}[form].validate(value)
    return value


DOCUMENTS = ("json", "sarif", "junit", "gitlab")
"""The formats that write one document, which is valid or is not."""


@pytest.mark.parametrize("validator", [FINDINGS, SARIF, QUALITY])
def test_the_schemas_are_schemas(validator):
    validator.check_schema(validator.schema)


@pytest.mark.parametrize("form", DOCUMENTS)
@pytest.mark.parametrize("text", [GOOD, WRONG, TWICE, "", "\0", "[", "a: &b 1"])
def test_documents_are_valid(form, text, folder, capsys):
    (folder / "a.olm.yaml").write_text(text)
    status, out = check(form, capsys, ".")
    assert status == (FINE if text == GOOD else PROBLEMS)
    parsed(form, out)


@pytest.mark.parametrize("form", DOCUMENTS)
def test_documents_without_findings_are_valid(form):
    parsed(form, written(form))
    parsed(form, written(form, result()))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_of_a_file_is_written_so_that_it_can_be_read(name, folder, capsys):
    (folder / name).write_text(WRONG)
    known = name.replace("\udcff", "�")
    (finding,) = parsed("json", check("json", capsys, ".")[1])["findings"]
    (quality,) = parsed("gitlab", check("gitlab", capsys, ".")[1])
    assert (finding["file"], quality["location"]["path"]) == (known, known)
    (found,) = parsed("sarif", check("sarif", capsys, ".")[1])["runs"][0]["results"]
    artifact = found["locations"][0]["physicalLocation"]["artifactLocation"]
    assert urlsplit(artifact["uri"])[:2] == ("", "")
    assert unquote(artifact["uri"], errors="surrogateescape") == name
    (case,) = parsed("junit", check("junit", capsys, ".")[1]).iter("testcase")
    assert case.get("name") == known.replace("\x1b", "�")


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("form", ["concise", "github"])
def test_a_finding_is_one_line_whatever_the_name_of_its_file(form, name, folder):
    (folder / name).write_text(WRONG)
    command = [sys.executable, "-m", "olm", "check", "--format", form, "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")
    finding, outcome = done.stdout.splitlines()
    assert "LinearLR has no field `total_step`" in finding
    assert outcome == "1 problem in 1 file"


def test_concise_lines_are_those_of_compilers(folder, capsys):
    (folder / "a.olm.yaml").write_text("{kind: LinearLR,  total_step: 9}\n")
    line = check("concise", capsys, "a.olm.yaml")[1].splitlines()[0]
    file, row, column, rest = line.split(":", 3)
    assert (file, row, column) == ("a.olm.yaml", "1", "19")
    assert rest.startswith(" error[unknown-field]: ")


def test_a_finding_without_a_place_has_at_least_its_file():
    bare = result(Problem("odd", "something is odd", hint="look"), file="b.olm.yaml")
    assert written("concise", bare).startswith("b.olm.yaml: error[odd]: something is odd (look)\n")
    github = "::error file=b.olm.yaml,title=olm%3A odd::b.olm.yaml: something is odd%0Alook\n"
    assert written("github", bare).startswith(github)
    (finding,) = parsed("json", written("json", bare))["findings"]
    assert (finding["file"], finding["line"], finding["column"]) == ("b.olm.yaml", None, None)
    (quality,) = parsed("gitlab", written("gitlab", bare))
    assert quality["location"] == {"path": "b.olm.yaml", "lines": {"begin": 1}}
    (found,) = parsed("sarif", written("sarif", bare))["runs"][0]["results"]
    where = found["locations"][0]["physicalLocation"]
    assert where == {"artifactLocation": {"uri": "b.olm.yaml", "uriBaseId": "%SRCROOT%"}}
    assert (
        "b.olm.yaml: error[odd]: "
        in parsed("junit", written("junit", bare)).find(".//failure").text
    )


@pytest.mark.parametrize("form", DOCUMENTS)
def test_a_file_that_cannot_be_read_is_a_finding(form, folder, capsys):
    (folder / "a.olm.yaml").symlink_to("nowhere")
    status, out = check(form, capsys, ".")
    assert status == PROBLEMS
    assert "unreadable" in out
    parsed(form, out)


@pytest.mark.parametrize("form", DOCUMENTS)
def test_standard_input_has_the_name_that_it_is_given(form):
    command = [sys.executable, "-m", "olm", "check", "--format", form, "-"]
    for more, name in ([], "stdin"), (["--stdin-filename", "from/é.olm.yaml"], "from/"):
        environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
        done = subprocess.run(
            [*command, *more], input=WRONG.encode(), capture_output=True, env=environment
        )
        assert (done.returncode, done.stderr) == (PROBLEMS, b"")
        assert name in done.stdout.decode("ascii")
        parsed(form, done.stdout.decode("ascii"))


def test_json_says_all_that_is_known_of_a_finding(folder, capsys):
    (folder / "a.olm.yaml").write_text(
        "kind: SequentialLR\nschedulers:\n  - kind: LinearLR\n"
        "    total_steps: '10'\nmilestones: []\n"
    )
    value = parsed("json", check("json", capsys, "a.olm.yaml")[1])
    assert value["version"] == 1
    assert value["summary"] == {
        "files": 1,
        "files_with_findings": 1,
        "errors": 1,
        "warnings": 0,
        "fixable": 1,
    }
    (finding,) = value["findings"]
    assert finding.pop("message")
    assert finding.pop("hint") is not None
    assert finding == {
        "file": "a.olm.yaml",
        "line": 4,
        "column": 18,
        "end_column": 22,
        "severity": "error",
        "code": "type",
        "path": ["schedulers", 0, "total_steps"],
        "also": [],
        "fix": "10",
        "edits": [{"line": 4, "column": 18, "end_column": 22, "text": "10"}],
    }


def test_a_fix_can_be_written_as_it_is_where_the_finding_stands(folder, capsys):
    line = '{"kind": "LinearLR", "total_step": 100}'
    (folder / "a.olm.json").write_text(line)
    (finding,) = parsed("json", check("json", capsys, "a.olm.json")[1])["findings"]
    fixed = line[: finding["column"] - 1] + finding["fix"] + line[finding["end_column"] - 1 :]
    assert fixed == '{"kind": "LinearLR", "total_steps": 100}'


def test_a_fix_of_a_key_and_its_value_is_told_as_a_whole(folder, capsys):
    text = "# é 😀\nkind: ConstantLR\n't_max': 3 ep\n"
    (folder / "a.olm.yaml").write_text(text)
    (finding,) = parsed("json", check("json", capsys, ".")[1])["findings"]
    assert finding["fix"] is None
    edits = [
        {"line": 3, "column": 1, "end_column": 8, "text": "'total_iters'"},
        {"line": 3, "column": 10, "end_column": 14, "text": "'3ep'"},
    ]
    assert finding["edits"] == edits
    (found,) = parsed("sarif", check("sarif", capsys, ".")[1])["runs"][0]["results"]
    (fix,) = found["fixes"]
    (change,) = fix["artifactChanges"]
    assert fix["description"]["text"].startswith("did you mean `total_iters: 3ep`?")
    assert [one["insertedContent"]["text"] for one in change["replacements"]] == [
        edit["text"] for edit in edits
    ]
    assert [one["deletedRegion"]["startColumn"] for one in change["replacements"]] == [1, 10]
    assert main(["check", "--fix", "."]) == FINE
    assert (folder / "a.olm.yaml").read_text() == text.replace(
        "t_max': 3 ep", "total_iters': '3ep'"
    )


def test_other_places_are_told(folder, capsys):
    (folder / "a.olm.yaml").write_text(TWICE)
    (finding,) = parsed("json", check("json", capsys, ".")[1])["findings"]
    (also,) = finding["also"]
    assert (finding["line"], also["line"], also["file"]) == (3, 2, "a.olm.yaml")
    (found,) = parsed("sarif", check("sarif", capsys, ".")[1])["runs"][0]["results"]
    assert found["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 2


def test_sarif_has_a_rule_with_its_page_for_each_code(folder, capsys):
    (folder / "a.olm.yaml").write_text(WRONG)
    (folder / "b.olm.yaml").write_text("kind: LinearL\nx: 1\n")
    (run,) = parsed("sarif", check("sarif", capsys, ".")[1])["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "olm"
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids)) > 1
    assert [ids[found["ruleIndex"]] for found in run["results"]] == [
        found["ruleId"] for found in run["results"]
    ]
    assert all(
        rule["shortDescription"]["text"] and rule["help"]["markdown"] for rule in driver["rules"]
    )


def test_sarif_counts_columns_in_utf16(folder, capsys):
    line = '{"😀😀": 1, "total_step": 2, "kind": "LinearLR"}'
    (folder / "a.olm.json").write_text(line, encoding="utf-8")
    (run,) = parsed("sarif", check("sarif", capsys, ".")[1])["runs"]
    assert run["columnKind"] == "utf16CodeUnits"
    units = line.encode("utf-16-le")
    regions = [one["locations"][0]["physicalLocation"]["region"] for one in run["results"]]
    stretches = {
        units[2 * (at["startColumn"] - 1) : 2 * (at["endColumn"] - 1)].decode("utf-16-le")
        for at in regions
    }
    assert {'"😀😀"', '"total_step"'} <= stretches


def test_sarif_has_the_fix(folder, capsys):
    (folder / "a.olm.json").write_text('{"kind": "LinearLR", "total_step": 100}')
    (found,) = parsed("sarif", check("sarif", capsys, ".")[1])["runs"][0]["results"]
    (change,) = found["fixes"][0]["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "a.olm.json", "uriBaseId": "%SRCROOT%"}
    region = {"startLine": 1, "startColumn": 22, "endColumn": 34}
    inserted = {"text": '"total_steps"'}
    assert change["replacements"] == [{"deletedRegion": region, "insertedContent": inserted}]


@pytest.mark.parametrize(
    ("file", "variable", "root", "known"),
    [
        ("../a.olm.yaml", None, "", "/a.olm.yaml"),
        ("x/../a.olm.yaml", None, "", "a.olm.yaml"),
        ("a.olm.yaml", "GITHUB_WORKSPACE", "..", "work/a.olm.yaml"),
        ("../a.olm.yaml", "CI_PROJECT_DIR", "..", "a.olm.yaml"),
        ("/elsewhere/a b.olm.yaml", "CI_PROJECT_DIR", "..", "/elsewhere/a b.olm.yaml"),
    ],
)
def test_services_get_the_path_from_the_root_of_the_repository(
    file, variable, root, known, folder, monkeypatch
):
    if variable:
        monkeypatch.setenv(variable, str((folder / root).resolve()))
    outside = known.startswith("/")
    whole = known if variable or not outside else f"{folder.parent}{known}"
    wrong = result(Problem("odd", "odd", place=Place(file, 1, 1, 2)), file=file)
    (quality,) = parsed("gitlab", written("gitlab", wrong))
    assert quality["location"]["path"] == whole
    assert written("github", wrong).startswith(f"::error file={whole},line=1,")
    (found,) = parsed("sarif", written("sarif", wrong))["runs"][0]["results"]
    artifact = found["locations"][0]["physicalLocation"]["artifactLocation"]
    uri = urlsplit(artifact["uri"])
    assert (uri.scheme, unquote(uri.path)) == ("file" if outside else "", whole)
    assert ("uriBaseId" in artifact) is not outside


def fingerprints(folder, capsys):
    found = parsed("sarif", check("sarif", capsys, ".")[1])["runs"][0]["results"]
    prints = [one["partialFingerprints"]["olmFinding/v1"] for one in found]
    assert prints == [
        one["fingerprint"] for one in parsed("gitlab", check("gitlab", capsys, ".")[1])
    ]
    return prints


def test_fingerprints_are_unique_and_survive_lines_that_move(folder, capsys):
    path = folder / "a.olm.yaml"
    path.write_text("kind: LinearLR\ntotal_steps: 0\nx: 1\ny: 1\n")
    (folder / "b.olm.yaml").write_text("kind: LinearLR\ntotal_steps: 0\nx: 1\ny: 1\n")
    before = fingerprints(folder, capsys)
    assert len(before) == len(set(before)) == 6
    path.write_text("# what is new\n\ny: 1\nkind: LinearLR\nx:    2\ntotal_steps: -4\n")
    assert set(fingerprints(folder, capsys)) == set(before)
    path.write_text("kind: LinearLR\ntotal_steps: 0\nz: 1\ny: 1\n")
    assert len(set(fingerprints(folder, capsys)) & set(before)) == 5


def test_findings_that_nothing_tells_apart_have_fingerprints_of_their_own():
    same = Problem("odd", "odd", place=Place("a.olm.yaml", 1, 1, 2))
    prints = [one["fingerprint"] for one in parsed("gitlab", written("gitlab", result(same, same)))]
    assert len(set(prints)) == 2


def test_errors_are_major_and_warnings_minor():
    both = result(Problem("a", "a"), Problem("b", "b", severity="warning"))
    value = parsed("gitlab", written("gitlab", both))
    assert [one["severity"] for one in value] == ["major", "minor"]
    value = parsed("sarif", written("sarif", both))["runs"][0]
    assert [one["level"] for one in value["results"]] == ["error", "warning"]


def test_a_warning_fails_a_test_case_only_in_a_strict_run():
    results = [result(Problem("late-rise", "it rises", severity="warning")), result(file="b")]
    root = parsed("junit", written("junit", *results))
    assert (root.get("tests"), root.get("failures")) == ("2", "0")
    assert "warning[late-rise]: it rises" in root.find(".//system-out").text
    root = parsed("junit", written("junit", *results, strict=True))
    assert (root.get("failures"), root.find(".//failure").get("type")) == ("1", "late-rise")
    assert root.find(".//system-out") is None


def test_a_test_case_has_one_failure_that_lists_all_errors(folder, capsys):
    (folder / "a.olm.yaml").write_text("kind: LinearLR\ntotal_steps: 9\nx: 1\ny: 2\nz: 3\n")
    (failure,) = parsed("junit", check("junit", capsys, ".")[1]).iter("failure")
    assert failure.get("message") == "LinearLR has no field `x` (and 2 more)"
    assert [line.split(": ")[0] for line in failure.text.splitlines()] == [
        "a.olm.yaml:3:1",
        "a.olm.yaml:4:1",
        "a.olm.yaml:5:1",
    ]


def unescaped(text):
    """What the runner of GitHub makes of a text: its own steps, in its order."""
    for code, character in ("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"):
        text = text.replace(code, character)
    return text


def commands(text):
    """The workflow commands in an output: the name, the properties and the message of each."""
    found = re.findall(r"^::(\w+) (.*?)::(.*)$", text, re.MULTILINE)
    return [
        (
            name,
            dict(map(unescaped, one.split("=", 1)) for one in listed.split(",")),
            unescaped(said),
        )
        for name, listed, said in found
    ]


def test_a_workflow_command_says_where_and_what(folder, capsys):
    (folder / "100%0A,a:b.olm.yaml").write_text(WRONG)
    ((name, properties, said),) = commands(check("github", capsys, ".")[1])
    assert name == "error"
    assert properties == {
        "file": "100%0A,a:b.olm.yaml",
        "line": "2",
        "endLine": "2",
        "col": "1",
        "endColumn": "11",
        "title": "olm: unknown-field",
    }
    place = "100%0A,a:b.olm.yaml:2:1"
    assert said == f"{place}: LinearLR has no field `total_step`\ndid you mean `total_steps`?"


def test_warnings_are_warnings_on_github():
    warning = Problem("late-rise", "it rises", severity="warning")
    assert written("github", result(warning)).startswith("::warning file=a.olm.yaml,")


@pytest.fixture
def summary(folder, monkeypatch):
    """The file that GitHub makes a page of."""
    path = folder.parent / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_the_summary_is_a_table_under_what_stands_there(summary, folder, capsys):
    summary.write_text("before\n\n")
    (folder / "a|b.olm.yaml").write_text(WRONG)
    check("github", capsys, ".")
    assert summary.read_text() == (
        "before\n\n**olm check**: 1 problem in 1 file\n\n"
        "| place | what | finding |\n| --- | --- | --- |\n"
        "| <code>a&#124;b.olm.yaml&#58;2&#58;1</code> | error <code>unknown-field</code> "
        "| LinearLR has no field <code>total&#95;step</code>"
        "<br>did you mean <code>total&#95;steps</code>&#63; |\n\n"
    )


def test_the_summary_says_that_all_is_fine(summary, folder, capsys):
    (folder / "a.olm.yaml").write_text(GOOD)
    assert check("github", capsys, ".") == (FINE, "1 file is fine\n")
    assert summary.read_text() == "**olm check**: 1 file is fine\n\n"


@pytest.mark.parametrize("before", [0, MAX_BYTES // 2, MAX_BYTES - 100])
def test_the_summary_stays_below_what_github_shows(before, summary):
    summary.write_text("x" * before)
    many = [result(*[Problem("odd", "é" * 30, hint="<" * 60)] * 100) for _ in range(100)]
    written("github", *many)
    text = summary.read_bytes()[before:].decode()
    assert before + len(text.encode()) <= MAX_BYTES
    if before < MAX_BYTES - 100:
        left_out = int(re.search(r"\.\.\. and ([\d,]+) more", text)[1].replace(",", ""))
        assert text.count("é" * 30) + left_out == 10_000


def test_a_summary_that_cannot_be_written_is_a_warning(folder, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "no" / "summary.md"))
    (folder / "a.olm.yaml").write_text(GOOD)
    status, out = check("github", capsys, ".")
    assert (status, out.splitlines()[0]) == (FINE, "1 file is fine")
    assert out.splitlines()[1].startswith("::warning title=olm::cannot write the summary: ")


@given(st.text())
def test_markdown_shows_a_text_as_it_is(text):
    cell = markdown(text)
    assert not re.search(r"[|\n`*_\[\]]", cell)
    plain = unescape(cell.replace("<code>", "`").replace("</code>", "`"))
    assert "<" not in cell.replace("<code>", "").replace("</code>", "")
    assert plain == "".join(
        one if one.isprintable() else "→" if one == "\t" else "�" for one in text
    )


TEXTS = st.text(max_size=30)
NAMES = st.text(min_size=1, max_size=30)
LINES = st.integers(1, 10**6)


@st.composite
def findings(draw):
    """A problem that says anything at all, anywhere."""
    file, line, column = draw(NAMES), draw(LINES), draw(LINES)
    place = Place(file, line, column, column + draw(st.integers(0, 50)))
    return Problem(
        draw(st.from_regex(r"[a-z]+(-[a-z]+)*", fullmatch=True)),
        draw(NAMES),
        tuple(draw(st.lists(st.one_of(TEXTS, st.integers(0, 99)), max_size=3))),
        hint=draw(TEXTS),
        place=draw(st.sampled_from([place, None])),
        also_places=tuple([place] * draw(st.integers(0, 2))),
        severity=draw(st.sampled_from(["error", "warning"])),
        fix=draw(
            st.one_of(
                st.none(),
                st.builds(lambda text, in_quotes: Fix(text, in_quotes), TEXTS, st.booleans()),
            )
        ),
    )


RESULTS = st.lists(
    st.builds(lambda file, some: result(*some, file=file), NAMES, st.lists(findings())),
    max_size=3,
)


def in_xml(text):
    """A text in which what XML forbids is replaced."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", text)


@settings(deadline=None)
@given(RESULTS)
def test_every_format_keeps_every_message(results):
    problems = [problem for one in results for problem in one.problems]
    said = [problem.message for problem in problems]
    value = parsed("json", written("json", *results))
    assert [one["message"] for one in value["findings"]] == said
    assert [one["hint"] for one in value["findings"]] == [problem.hint for problem in problems]
    assert value["summary"]["errors"] + value["summary"]["warnings"] == len(said)
    value = parsed("gitlab", written("gitlab", *results))
    assert all(map(str.startswith, [one["description"] for one in value], said))
    assert len({one["fingerprint"] for one in value}) == len(said)
    value = parsed("sarif", written("sarif", *results))["runs"][0]["results"]
    assert all(map(str.startswith, [one["message"]["text"] for one in value], said))
    assert len(value) == len(said)
    cases = list(parsed("junit", written("junit", *results)).iter("testcase"))
    assert [case.get("name") for case in cases] == [in_xml(one.file) for one in results]
    for case, one in zip(cases, results, strict=True):
        text = "".join(case.itertext())
        assert all(in_xml(problem.message) in text for problem in one.problems)


@settings(deadline=None)
@given(RESULTS)
def test_github_and_concise_have_a_line_for_each_finding(results):
    count = sum(len(one.problems) for one in results)
    assert len(written("concise", *results).splitlines()) == count + 1
    lines = written("github", *results).splitlines()
    assert len(lines) == count + 1
    assert all(re.match("::(error|warning) file=", line) for line in lines[:-1])


@pytest.mark.parametrize("form", ["json", "sarif", "gitlab", "github", "concise", "text"])
def test_findings_are_written_as_they_are_found(form):
    read = []

    def results():
        for number in range(3):
            read.append(number)
            yield result(Problem("odd", f"problem {number}", place=Place("a.olm.yaml", 1, 1, 2)))

    first = next(
        len(read) for piece in named(form).report(results(), Look(Tally())) if "problem 0" in piece
    )
    assert first == 1


@pytest.mark.parametrize("form", DOCUMENTS)
def test_ten_thousand_findings_are_valid(form):
    place = Place("a.olm.yaml", 1, 1, 2)
    many = [
        result(*[Problem("odd", "odd", ("x", number), place=place) for number in range(100)])
        for _ in range(100)
    ]
    text = written(form, *many)
    assert text.count("odd") >= 10_000
    if form == "junit":
        parsed(form, text)
    else:
        assert len(text.splitlines()) == 10_002
        json.loads(text)


def test_a_file_is_all_that_a_new_format_takes(folder, monkeypatch, capsys):
    (folder / "shout.py").write_text(
        "SUMMARY = 'loudly'\n"
        "def report(results, look):\n"
        "    for result in results:\n"
        "        yield result.file.upper() + '\\n'\n"
    )
    (folder / "_helper.py").write_text("raise AssertionError('this is no format')\n")
    (folder / "a.olm.yaml").write_text(GOOD)
    path = [*olm.cli.formats.__path__, str(folder)]
    monkeypatch.setattr(olm.cli.formats, "__path__", path)
    assert check("shout", capsys, "a.olm.yaml") == (FINE, "A.OLM.YAML\n")
    assert "shout" in names()
    assert "_helper" not in names()
    assert ", shout (loudly), " in in_help()
    del sys.modules["olm.cli.formats.shout"]


def test_every_format_that_is_promised_is_there():
    assert names() == ["concise", "github", "gitlab", "json", "junit", "sarif", "text"]
    assert all(len(named(name).SUMMARY) < 80 for name in names())


@pytest.mark.parametrize(
    ("more", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_a_terminal_has_colours_and_a_pipe_has_none(more, on_terminal, in_pipe, folder):
    (folder / "a.olm.yaml").write_text(WRONG)
    command = [sys.executable, "-m", "olm", "check", "a.olm.yaml"]
    environment = {**os.environ, "TERM": "xterm", **more}
    _, seen = on_a_terminal(command, environment)
    piped = subprocess.run(command, capture_output=True, text=True, env=environment).stdout
    assert ("\x1b[" in seen, "\x1b[" in piped) == (on_terminal, in_pipe)
    assert "did you mean `total_steps`?" in seen
    # On a terminal with colours, codes are links, and a star marks what --fix fixes.
    text = re.sub(r"\]\*(?=:)", "]", without_sequences(seen).replace(" (*)", ""))
    assert text.splitlines() == without_sequences(piped).splitlines()


def without_sequences(text):
    """A text without colours and links."""
    return re.sub(r"\x1b\[[\d;]*m|\x1b\]8;;[^\x1b]*\x1b\\", "", text)


@pytest.mark.parametrize("form", [*DOCUMENTS, "github", "concise"])
def test_formats_for_programs_have_no_colours(form, folder, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    (folder / "a.olm.yaml").write_text(WRONG)
    assert "\x1b" not in check(form, capsys, ".")[1]
