"""Schema and models accept the same documents, except for what `olm.schema.unsaid` lists."""

import json
import subprocess
import sys
from typing import Annotated, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies
from jsonschema import Draft7Validator

from olm.fields.types import Factor, Length, Listed
from olm.problem import SpecError
from olm.schedule.clock import Clock
from olm.schedule.schedule import KINDS, MAX_DEPTH, Schedule
from olm.schema.documentation import fields
from olm.schema.json_schema import kind_schema, schedules_schema, unsaid
from olm.spec.load import loads
from olm.spec.spec import parse

from .strategies import CATALOGUE, documents, mutated, odd_values

VALIDATOR = Draft7Validator(schedules_schema(CATALOGUE))
OF_KIND = {kind: Draft7Validator(kind_schema(kind, CATALOGUE)) for kind in CATALOGUE}
UNSAID = unsaid(CATALOGUE)
RULES = {rule.fields for model in (Clock, *CATALOGUE.values()) for rule in model.rules}
RULES |= {("param_groups",)}


def fields_of(problem):
    """The fields of a problem; of two items of a list, the list."""
    last = [path[-1] for path in (problem.path, *problem.also)]
    return (problem.path[-2],) if isinstance(last[0], int) else tuple(last)


drawn = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=300)


def problems_of(read, said):
    try:
        read(said)
    except SpecError as error:
        return error.problems
    return ()


def agree(problems, valid):
    """Whether these problems agree with the verdict of the schema."""
    codes = {problem.code for problem in problems}
    if valid:
        return codes <= {*UNSAID}
    # The models do not validate below the maximum depth.
    return bool(codes - {*UNSAID}) or "depth" in codes


@drawn
@given(documents(wide=True))
def test_a_valid_document_is_valid_by_both(document):
    assert not problems_of(parse, document)
    assert VALIDATOR.is_valid(document)
    assert OF_KIND[document["kind"]].is_valid(document)


@settings(drawn, max_examples=500)
@given(mutated())
def test_an_invalid_document_gets_the_same_verdict_from_both(document):
    problems = problems_of(parse, document)
    assert agree(problems, VALIDATOR.is_valid(document))
    broken = [problem for problem in problems if problem.code == "rule"]
    assert {fields_of(problem) for problem in broken} <= RULES


@drawn
@given(odd_values())
def test_any_json_gets_the_same_verdict_from_both(value):
    assert agree(problems_of(parse, value), VALIDATOR.is_valid(value))


@settings(drawn, max_examples=100)
@given(documents() | mutated())
def test_the_schema_of_a_kind_accepts_valid_documents_of_that_kind(document):
    valid = VALIDATOR.is_valid(document)
    for kind, validator in OF_KIND.items():
        assert validator.is_valid(document) == (valid and document["kind"] == kind)


def test_check_jsonschema_gives_the_same_verdicts_as_loading_the_files(tmp_path):
    texts = {}

    @settings(drawn, max_examples=150, phases=[Phase.generate], database=None)
    @given(mutated())
    def write(document):
        name = f"{len(texts)}.{'json' if len(texts) % 2 else 'olm.yaml'}"
        texts[name] = json.dumps(document, ensure_ascii=False)
        (tmp_path / name).write_text(texts[name], encoding="utf-8")

    write()
    refused = refused_by_check_jsonschema(tmp_path, texts)
    assert 0 < len(refused) < len(texts)
    assert not [
        (name, text)
        for name, text in texts.items()
        if not agree(problems_of(loads, text), name not in refused)
    ]


def refused_by_check_jsonschema(folder, names):
    """The files in which the command finds problems."""
    (folder / "schema.json").write_text(json.dumps(VALIDATOR.schema))
    command = [sys.executable, "-m", "check_jsonschema", "--output-format", "json"]
    done = subprocess.run(
        [*command, "--schemafile", "schema.json", *names],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    report = json.loads(done.stdout)
    assert not report["parse_errors"]
    return {error["filename"] for error in report["errors"]}


EMA = {"value": "ema", "schedule": {"kind": "HoldLR"}}
EPS = {"set": "eps", "schedule": {"kind": "HoldLR"}}
TARGETS = {"kind": "HoldLR", "also": [EMA], "param_groups": ["a", "b"]}


def nested(depth):
    """A document of nested schedules, of a given depth."""
    schedule = {"kind": "LinearLR", "total_steps": 1}
    for _ in range(depth - 1):
        schedule = {"kind": "SequentialLR", "schedulers": [schedule], "milestones": []}
    return schedule


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (nested(MAX_DEPTH + 1), "depth"),
        ({"kind": "WarmupCosineScheduler", "warmup_steps": 5, "total_steps": 5}, "rule"),
        (
            {
                "kind": "LinearDecayLR",
                "total_steps": 5,
                "last_epoch": 0,
                "base_lrs": [0.1],
                "digest": "sha256:" + "0" * 64,
            },
            "digest",
        ),
        ({**TARGETS, "also": [EMA, EMA]}, "two-targets"),
        ({**TARGETS, "also": [{**EPS, "groups": "x*"}]}, "no-group"),
        ({**TARGETS, "also": [{**EPS, "bases": [1]}]}, "target-state"),
        ({**TARGETS, "param_groups": ["a", "a"]}, "rule"),
        ({**TARGETS, "param_groups": ["#1"]}, "rule"),
        (
            {"kind": "SequentialLR", "schedulers": [nested(1)], "milestones": [1] * 100_000},
            "size",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_schema_cannot_express_is_rejected_only_by_the_models(document, code):
    assert code in UNSAID
    assert VALIDATOR.is_valid(document)
    assert code in {problem.code for problem in problems_of(parse, document)}


def test_schedules_of_the_maximum_depth_are_valid_by_both():
    assert not problems_of(parse, nested(MAX_DEPTH))
    assert VALIDATOR.is_valid(nested(MAX_DEPTH))


@pytest.fixture(scope="module")
def blend():
    """A kind with fields of types that no kind has yet, and a kind without children."""

    class Blend(Schedule):
        """A composition of schedules."""

        kind: Literal["acme.Blend"] = "acme.Blend"
        mixed: Annotated[Listed[Schedule], Length(2)]
        """The schedules."""
        last: Schedule = CATALOGUE["LinearDecayLR"](total_steps=1)
        """The schedules after ``mixed``."""
        weights: Listed[Factor] = (0.5, 0.5)
        curve: Literal["line", "cosine"] = "line"
        restart: bool = False

        examples = [{"mixed": [nested(1), nested(1)]}]

    yield {"acme.Blend": Blend, "LinearLR": CATALOGUE["LinearLR"]}
    del KINDS["acme.Blend"]


@pytest.fixture(scope="module")
def blend_schema(blend):
    return kind_schema("acme.Blend", {**CATALOGUE, **blend})


def test_fields_of_any_type_are_in_the_schema_as_they_are_in_the_model(blend_schema):
    properties = blend_schema["definitions"]["acme.Blend"]["properties"]
    child = {"$ref": "#/definitions/nested"}
    assert properties["mixed"] == {
        "description": "The schedules.",
        "type": "array",
        "items": child,
        "minItems": 2,
    }
    assert properties["last"] == {
        "description": "The schedules after mixed.",
        "default": {"kind": "LinearDecayLR", "total_steps": 1},
        **child,
    }
    assert properties["weights"]["default"] == [0.5, 0.5]
    assert properties["curve"]["enum"] == ["line", "cosine"]
    assert properties["restart"] == {"type": "boolean", "default": False}
    assert {*blend_schema["definitions"]} == {"acme.Blend", *CATALOGUE, "nested"}


def test_fields_of_any_type_are_described(blend):
    assert {field.name: field.type for field in fields(blend["acme.Blend"])} == {
        "mixed": "a list of 2 or more schedules",
        "last": "a schedule",
        "weights": "a list of numbers of at least 0",
        "curve": '"line" or "cosine"',
        "restart": "true or false",
    }


@settings(drawn, max_examples=200)
@given(data=strategies.data())
def test_fields_of_any_type_get_the_same_verdict_from_both(blend, blend_schema, data):
    document = data.draw(mutated(kinds=blend))
    valid = Draft7Validator(blend_schema).is_valid(document)
    if valid or (isinstance(document, dict) and document.get("kind") == "acme.Blend"):
        assert agree(problems_of(parse, document), valid)


def test_a_broken_rule_does_not_hide_an_incomplete_state():
    document = {"kind": "MultiStepLR", "milestones": [5, 3], "last_epoch": 3}
    assert {problem.code for problem in problems_of(parse, document)} == {"rule", "half-state"}
