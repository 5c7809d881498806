"""``olm check --schema``: documents validated by any JSON Schema, and by check-jsonschema."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from olm.checking.other_schema import SchemaError, schema_in
from olm.cli import FINE, MISUSE, PROBLEMS, main
from olm.problem import SHOWN
from olm.text.document import read, read_file

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "schemas" / "schedule.schema.json"


@pytest.fixture
def held(tmp_path, monkeypatch):
    """The findings for a text and a schema, one per line."""
    monkeypatch.chdir(tmp_path)

    def check(schema, text, file="a.yaml"):
        Path("s.json").write_text(json.dumps(schema), encoding="utf-8")
        result = schema_in("s.json").check(read(text, file))
        return [str(problem).replace(": error[schema]: ", " ", 1) for problem in result.problems]

    return check


NEWER = "https://json-schema.org/draft"
CASES = {
    "a: x": ({"properties": {"a": {"type": "integer"}}}, "1:4 a must be a whole number, found the"),
    "a: {b: [1, x]}": (
        {"properties": {"a": {"properties": {"b": {"items": {"type": "number"}}}}}},
        "1:12 b[1] must be a number, found the string 'x'",
    ),
    "a: colr": (
        {"properties": {"a": {"enum": ["color", "shape"]}}},
        "1:4 a must be one of `color`, `shape`, found the string 'colr' (did you mean `color`?)",
    ),
    "a: 1": ({"properties": {"a": {"const": "x"}}}, "1:4 a must be `x`, found 1"),
    "a: 2": ({"properties": {"a": {"exclusiveMinimum": 2}}}, "1:4 a must be above 2, found 2"),
    "a: 3": ({"properties": {"a": {"multipleOf": 2}}}, "1:4 a must be a multiple of 2, found 3"),
    "a: [1, 1]": (
        {"properties": {"a": {"uniqueItems": True}}},
        "1:4 a must not have the same item twice, found a list",
    ),
    "a: []": ({"properties": {"a": {"minItems": 1}}}, "1:4 a must have at least 1 item, found 0"),
    "a: xyz": (
        {"properties": {"a": {"maxLength": 2}}},
        "1:4 a must have at most 2 characters, found 3 in the string 'xyz'",
    ),
    "a: b": (
        {"properties": {"a": {"pattern": "^c", "patternErrorMessage": "begin with c"}}},
        "1:4 a must match ^c, found the string 'b' (begin with c)",
    ),
    "b: 1": ({"required": ["a"]}, "1:1 the document needs the key `a`"),
    "b: {c: 1}": (
        {"properties": {"b": {"required": ["a"]}}},
        "1:1 b needs the key `a`",
    ),
    "a: 1\nb: 2": ({"dependentRequired": {"b": ["c"]}}, "2:1 b needs the key `c` beside it"),
    "c: 1": (
        {"propertyNames": {"pattern": "^a"}},
        "1:1 the key `c` must match ^a",
    ),
    "a: {b: 1}": ({"properties": {"a": {"properties": {"b": False}}}}, "1:5 b must not be here"),
    "a: false": (
        {"properties": {"a": {"not": {"type": "boolean"}}}},
        "1:4 a must not fit what the schema rules out, found false",
    ),
    "a: [0]": (
        {"properties": {"a": {"contains": {"const": 1}}}},
        "1:4 a must fit `contains`, found a list",
    ),
    "[1]": ({"type": ["object", "null"]}, "1:1 the document must be a mapping or null, found a"),
    "a: [2]": (
        {"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}},
        "1:4 a must be a string or a whole number, found a list",
    ),
    "a: 4": (
        {"properties": {"a": {"oneOf": [{"type": "integer"}, {"minimum": 2}]}}},
        "1:4 a must fit only one of the forms that there are, found 4",
    ),
}


@pytest.mark.parametrize(("text", "case"), CASES.items(), ids=CASES)
def test_each_keyword_has_a_message_and_a_place(text, case, held):
    schema, expected = case
    (found,) = held(schema, text)
    assert found.startswith(f"a.yaml:{expected}")


def test_each_extra_key_is_reported_at_the_key(held):
    schema = {
        "properties": {"warmup": True, "hidden": False},
        "patternProperties": {"^x-": True},
        "additionalProperties": False,
    }
    assert held(schema, "warmup: 1\nwarmpu: 2\nx-y: 3\nother: 4\nhiden: 1\n") == [
        "a.yaml:2:1 there must be no key `warmpu` (did you mean `warmup`?)",
        "a.yaml:4:1 there must be no key `other`",
        "a.yaml:5:1 there must be no key `hiden`",
    ]
    schema = {"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False}
    assert held(schema, "a: 1\nb: 2\nc: 3\n") == [
        "a.yaml:2:1 there must be no key `b`",
        "a.yaml:3:1 there must be no key `c`",
    ]


def test_of_several_alternatives_the_intended_one_is_reported(held):
    forms = [
        {"type": "string"},
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
    ]
    schema = {"properties": {"x": {"anyOf": forms}}}
    assert held(schema, "x: {a: no}") == [
        "a.yaml:1:8 a must be a whole number, found the string 'no'"
    ]


def test_what_follows_a_condition_is_reported_at_its_place(held):
    condition = {"properties": {"kind": {"const": "a"}}, "required": ["kind"]}
    schema = {"if": condition, "then": {"required": ["x"]}, "else": {"required": ["y"]}}
    assert held(schema, "kind: a") == ["a.yaml:1:7 the document needs the key `x`"]
    assert held(schema, "kind: b") == ["a.yaml:1:7 the document needs the key `y`"]


def test_a_misspelt_kind_is_one_finding(capsys, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("kind: LinaerLR\ntotal_steps: 10\n")
    assert main(["check", "--schema", str(SCHEMA), str(path)]) == PROBLEMS
    out = capsys.readouterr().out
    assert (out.count("error["), out.count("did you mean `LinearLR`?")) == (1, 1)
    assert "1 | kind: LinaerLR\n  |       ^^^^^^^^" in out


@pytest.mark.parametrize(
    ("draft", "schema", "fits", "fits_not"),
    [
        ("http://json-schema.org/draft-04/schema#", {"minimum": 1, "exclusiveMinimum": True}, 2, 1),
        ("http://json-schema.org/draft-06/schema#", {"contains": {"const": 1}}, [1], [2]),
        ("http://json-schema.org/draft-07/schema#", {"if": {"const": 1}, "then": False}, 2, 1),
        ("http://json-schema.org/draft-07/schema#", {"items": [{"const": 1}]}, [1], [2]),
        (f"{NEWER}/2019-09/schema", {"maxContains": 1, "contains": {}}, [1], [1, 1]),
        (f"{NEWER}/2020-12/schema", {"prefixItems": [{"const": 1}]}, [1], [2]),
    ],
)  # fmt: skip
def test_every_draft_is_applied_as_declared(draft, schema, fits, fits_not, held):
    schema = {"$schema": draft, **schema}
    assert held(schema, json.dumps(fits)) == []
    assert len(held(schema, json.dumps(fits_not))) == 1


def test_json_and_toml_are_validated_too(held):
    schema = {"properties": {"a": {"properties": {"b": {"type": "string"}}}}}
    assert held(schema, '{"a":\n{"b": 1}}', "a.json") == ["a.json:2:7 b must be a string, found 1"]
    assert held(schema, "[a]\nb = 1\n", "a.toml") == ["a.toml:2:1 b must be a string, found 1"]


def test_errors_of_the_reader_are_reported_once(tmp_path):
    (tmp_path / "s.json").write_text('{"properties": {"a": {"type": "integer"}}}')
    problems = schema_in(str(tmp_path / "s.json")).check(read("a: !x 1\nb: &c 2\n", "a.yaml"))
    assert [problem.code for problem in problems.problems] == ["tag", "anchor"]


def test_a_part_of_a_file_is_validated(tmp_path, capsys):
    (tmp_path / "s.yaml").write_text("properties: {x: {type: integer}}\n")
    (tmp_path / "a.yaml").write_text("rest: !tag\noptim:\n  lr:\n    x: y\n")
    command = ["check", "--schema", str(tmp_path / "s.yaml"), str(tmp_path / "a.yaml")]
    assert main([*command, "--at", "optim.lr", "--format", "concise"]) == PROBLEMS
    assert ":4:8: error[schema]: x must be a whole number" in capsys.readouterr().out


MISUSES = {
    "{": "s.json:1:2: ",
    "[1]": "s.json:1:1: a schema must be a mapping",
    '{"type": "strng"}': "s.json:1:10: this is no schema: type must be ",
    '{"a": 1,\n "properties": {"x": 3}}': "s.json:2:22: this is no schema: x must be ",
    '{"$schema": "https://example.com/mine"}': "s.json:1:13: $schema must name a draft: 4, 6, 7",
    '{"$schema": 7}': "s.json:1:13: $schema must name a draft",
    '{"$ref": "https://example.com/other.json"}': "s.json:1:10: the $ref https://example.com/other",
    '{"items": {"$ref": "other.json#/a"}}': "s.json:1:20: the $ref other.json#/a leads to nothing",
    '{"$ref": "#/definitions/gone"}': "s.json:1:10: the $ref #/definitions/gone leads to nothing",
    '{"pattern": "("}': "s.json:1:13: this is no schema: pattern must ",
}


@pytest.mark.parametrize(("text", "message"), MISUSES.items(), ids=MISUSES)
def test_a_schema_that_cannot_be_used_is_misuse(text, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("s.json").write_text(text)
    Path("a.yaml").write_text("a: 1\n")
    assert main(["check", "--schema", "s.json", "a.yaml"]) == MISUSE
    out, error = capsys.readouterr()
    assert (out, error[: len(message) + 11]) == ("", f"olm check: {message}")
    assert len(error) < 300


def test_a_missing_schema_is_misuse(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("a: 1\n")
    assert main(["check", "--schema", "s.json", "a.yaml"]) == MISUSE
    assert capsys.readouterr().err.startswith("olm check: cannot read s.json: no such file")


def test_a_recursive_schema_is_misuse(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("s.json").write_text('{"$ref": "#"}')
    Path("a.yaml").write_text("a: 1\n")
    assert main(["check", "--schema", "s.json", "a.yaml"]) == MISUSE
    assert "the schema refers to itself without end" in capsys.readouterr().err
    for number in range(120):
        Path(f"{number}.olm.yaml").write_text("a: 1\n")
    assert main(["check", "--schema", "s.json", ".", "--jobs", "2"]) == MISUSE
    assert "the schema refers to itself without end" in capsys.readouterr().err


def test_a_property_that_is_named_like_a_reference_is_not_one(held):
    schema = {"properties": {"$ref": {"type": "string"}}, "examples": [{"$ref": "nowhere.json"}]}
    assert held(schema, "$ref: 1") == ["a.yaml:1:7 $ref must be a string, found 1"]


def test_a_file_that_cannot_be_read_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("s.json").write_text('{"required": ["a"]}')
    Path("a.olm.yaml").symlink_to("nowhere")
    Path("b.olm.yaml").write_text("a: 1\n")
    assert main(["check", "--schema", "s.json", ".", "--format", "concise"]) == PROBLEMS
    out = capsys.readouterr().out
    assert "a.olm.yaml:1:1: error[unreadable]" in out
    assert "1 problem in 1 of 2 files" in out
    assert main(["check", "--schema", "s.json", "b.olm.yaml"]) == FINE


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", "", "x\n" * 99]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)  # fmt: skip
SCHEMAS = st.recursive(
    st.one_of(
        st.booleans(),
        st.builds(lambda one: {"type": one}, st.sampled_from(["string", "integer", "object"])),
        st.builds(lambda value: {"const": value}, VALUES),
        st.builds(lambda values: {"enum": values}, st.lists(VALUES, min_size=1, max_size=3)),
        st.just({"minimum": 1, "maxLength": 2, "minItems": 1, "maxProperties": 1}),
        st.just({"required": ["a", "b"], "additionalProperties": False}),
    ),
    lambda inner: st.one_of(
        st.builds(lambda one: {"properties": {"a": one}}, inner),
        st.builds(lambda one: {"additionalProperties": one}, inner),
        st.builds(lambda one: {"items": one, "propertyNames": one}, inner),
        st.builds(lambda one, two: {"anyOf": [one, two]}, inner, inner),
        st.builds(lambda one, two: {"oneOf": [one, two], "not": one}, inner, inner),
        st.builds(lambda one, two: {"if": one, "then": two, "else": False}, inner, inner),
        st.builds(lambda one, two: {"allOf": [one, two], "unevaluatedItems": one}, inner, inner),
        st.builds(lambda one, two: {"contains": one, "dependentSchemas": {"a": two}}, inner, inner),
    ),
    max_leaves=6,
)  # fmt: skip


@given(SCHEMAS, VALUES)
def test_verdicts_agree_with_jsonschema_and_messages_are_short(tmp_path_factory, schema, value):
    folder = tmp_path_factory.mktemp("schema")
    (folder / "s.json").write_text(json.dumps(schema))
    document = read(json.dumps(value), "a.json")
    assert document.value == value
    problems = schema_in(str(folder / "s.json")).check(document).problems
    assert bool(problems) == (not Draft202012Validator(schema).is_valid(value))
    for problem in problems:
        assert problem.code == "schema"
        assert problem.place.file == "a.json"
        assert len(problem.message) < 12 * SHOWN
        assert problem.message.isprintable()
    assert len(set(problems)) == len(problems)


LAX = {"json-for-yaml-alone.olm.json"}
"""JSON that only readers of YAML take, which `other-readers` warns about."""


def test_verdicts_agree_with_check_jsonschema(tmp_path):
    """Except for errors of syntax and duplicate keys, which check-jsonschema does not report."""
    folders = (ROOT / "tests" / "problems", ROOT / "specs")
    names = [path for folder in folders for path in folder.iterdir()]
    paths = sorted(path for path in names if path.suffix in (".yaml", ".json"))
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--schemafile",
        SCHEMA,
        "-o",
        "json",
        *paths,
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    said = json.loads(done.stdout)
    invalid = {error["filename"] for error in said["errors"]}
    unreadable = {error["filename"] for error in said["parse_errors"]}
    schema, agreed = schema_in(str(SCHEMA)), 0
    for path in map(os.fspath, paths):
        result = schema.check(read_file(path))
        codes = {problem.code for problem in result.problems}
        if path in unreadable or codes - {"schema"}:
            assert codes or Path(path).name in LAX, path
        else:
            agreed += 1
            assert bool(codes) == (path in invalid), path
    assert agreed > 0.75 * len(paths)


def test_nothing_is_fetched(held, monkeypatch):
    import socket

    def fetched(*args, **options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", fetched)
    with pytest.raises(SchemaError):
        held({"$ref": "https://json.schemastore.org/package.json"}, "a: 1")
    # The drafts themselves are available offline.
    schema = {"$ref": "http://json-schema.org/draft-07/schema#"}
    assert len(held(schema, "type: 3")) == 1
