"""The committed schemas: the purpose of each part, for all kinds, and the reports of errors."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from olm.fields.types import step_fields
from olm.problem import SpecError
from olm.schema.documentation import fields
from olm.schema.json_schema import DRAFT, kind_schema, schedules_schema
from olm.spec.digest import digest
from olm.spec.expectation import needs
from olm.spec.hyperparameters import SUGGESTED
from olm.spec.root_keys import ROOT_KEYS, STATE_KEYS
from olm.spec.spec import parse

from .strategies import CATALOGUE

SCHEMAS = Path(__file__).parent.parent / "schemas"
FILES = {path.name: json.loads(path.read_bytes()) for path in sorted(SCHEMAS.glob("*.schema.json"))}
SCHEDULE = FILES["schedule.schema.json"]
VALIDATOR = Draft7Validator(SCHEDULE)
NESTED = SCHEDULE["definitions"]["nested"]

every_file = pytest.mark.parametrize("schema", FILES.values(), ids=FILES)
every_kind = pytest.mark.parametrize("kind", CATALOGUE)
every_base = pytest.mark.parametrize("base", [SCHEDULE, NESTED], ids=["root", "nested"])


def mappings(schema):
    """Every mapping in a schema."""
    if isinstance(schema, dict):
        yield schema
        schema = schema.values()
    if not isinstance(schema, str | int | float | None):
        for part in schema:
            yield from mappings(part)


def filled_in(body):
    """The text of a snippet whose placeholders are left unchanged."""
    if isinstance(body, dict):
        return {key: filled_in(value) for key, value in body.items()}
    if isinstance(body, list):
        return [filled_in(value) for value in body]
    placeholder = re.fullmatch(r"\^\$\{\d+:(.*)\}", body)
    try:
        return json.loads(placeholder[1]) if placeholder else body
    except json.JSONDecodeError:
        return placeholder[1]


def test_there_is_a_schema_of_any_schedule_and_one_of_each_kind():
    assert {*FILES} == {f"{name}.schema.json" for name in ("schedule", *CATALOGUE)}


def test_the_committed_schemas_are_those_of_the_models():
    assert schedules_schema(CATALOGUE) == SCHEDULE
    for kind in CATALOGUE:
        assert kind_schema(kind, CATALOGUE) == FILES[f"{kind}.schema.json"]


@every_file
def test_a_schema_is_valid_under_draft_7(schema):
    assert schema["$schema"] == DRAFT
    Draft7Validator.check_schema(schema)


@every_file
def test_references_stay_inside_their_file(schema):
    for part in mappings(schema):
        if "$ref" in part:
            start, name = part["$ref"].rsplit("/", 1)
            assert start == "#/definitions"
            assert name in schema["definitions"]


@every_file
def test_nothing_is_a_union_so_that_an_error_is_reported_once(schema):
    assert not [part for part in mappings(schema) if {"oneOf", "discriminator"} & {*part}]
    for part in mappings(schema):
        if "anyOf" in part:
            there, not_there = part["anyOf"]
            assert not_there.keys() == {"allOf", "defaultSnippets"}
            assert not_there["allOf"] == [{"not": there}]


@every_file
def test_no_title_repeats_the_name_of_a_field(schema):
    titles = {part["title"] for part in mappings(schema) if isinstance(part.get("title"), str)}
    assert titles <= {"a schedule"}


@every_file
def test_every_condition_requires_a_mapping_with_a_kind(schema):
    of_keys = [part["if"] for part in mappings(schema["properties"]) if "if" in part]
    conditions = [part["if"] for part in mappings(schema) if "if" in part]
    conditions = [condition for condition in conditions if condition not in of_keys]
    assert conditions
    for condition in conditions:
        assert condition["type"] == "object"
        assert condition["required"] == ["kind"]


@every_file
def test_every_number_has_a_minimum_and_a_maximum(schema):
    for part in mappings(schema):
        types = part.get("type", ())
        if {"integer", "number"} & {*([types] if isinstance(types, str) else types)}:
            assert part["minimum"] < part["maximum"]


@every_base
def test_the_kinds_are_listed_with_a_sentence_each(base):
    kind = base["properties"]["kind"]
    assert kind["enum"] == list(CATALOGUE)
    for key in ("enumDescriptions", "markdownEnumDescriptions"):
        assert len(kind[key]) == len(CATALOGUE)
        assert all(text.endswith(".") for text in kind[key])


@every_base
def test_a_kind_applies_only_where_it_is_named(base):
    told = {
        part["if"]["properties"]["kind"]["const"]: part["then"] for part in base["then"]["allOf"]
    }
    assert told == {kind: {"$ref": f"#/definitions/{kind}"} for kind in CATALOGUE}


@every_base
def test_each_kind_has_a_snippet_that_is_there_until_a_kind_is(base):
    assert base["if"] == {"type": "object", "required": ["kind"]}
    snippets = base["anyOf"][1]["defaultSnippets"]
    assert [snippet["label"] for snippet in snippets] == list(CATALOGUE)
    for snippet in snippets:
        body = filled_in(snippet["body"])
        required = SCHEDULE["definitions"][snippet["label"]]["required"]
        assert {*body} >= {*required}
        assert VALIDATOR.is_valid(body)
        assert parse(body).schedule.kind == snippet["label"]


@every_kind
def test_a_definition_is_closed_except_for_the_root_keys(kind):
    definition = SCHEDULE["definitions"][kind]
    assert definition["additionalProperties"] is False
    assert [*definition["properties"]] == [*CATALOGUE[kind].model_fields, *ROOT_KEYS]
    assert all(definition["properties"][key] is True for key in ROOT_KEYS)


@every_kind
def test_a_definition_has_the_examples_and_docstrings_of_its_kind(kind):
    model, definition = CATALOGUE[kind], SCHEDULE["definitions"][kind]
    steps = step_fields(model)
    assert definition["examples"] == [{"kind": kind, **example} for example in model.examples]
    assert definition["description"]
    for field in fields(model):
        assert field.text, f"{kind}.{field.name} has no docstring"
        said, *how = definition["properties"][field.name]["description"].split("\n\n")
        assert said == field.text.replace("`", "")
        assert [text[:18] for text in how] == ["In optimizer steps"] * (field.name in steps)


@every_kind
def test_omitted_fields_have_the_default_in_the_schema(kind):
    definition = SCHEDULE["definitions"][kind]
    snippets = {snippet["label"]: snippet for snippet in SCHEDULE["anyOf"][1]["defaultSnippets"]}
    least = filled_in(snippets[kind]["body"])
    filled = parse(least).model_dump()
    assert {*least} >= {*definition["required"]}
    for name in filled.keys() - least.keys():
        assert definition["properties"][name]["default"] == filled[name]


@every_kind
def test_the_schema_of_a_kind_has_all_kinds_for_children_and_targets(kind):
    assert {*FILES[f"{kind}.schema.json"]["definitions"]} == {*CATALOGUE, "nested"}


def test_only_the_root_has_the_keys_of_the_root():
    assert all(NESTED["properties"][key] is False for key in ROOT_KEYS)
    assert all("type" in SCHEDULE["properties"][key] for key in ROOT_KEYS)
    assert SCHEDULE["dependencies"] == {
        **{key: [other for other in STATE_KEYS if other != key] for key in STATE_KEYS},
        "expect": needs(),
    }


LINEAR = {"kind": "LinearLR", "total_steps": 5}
STATE = {
    **LINEAR,
    "last_epoch": 0,
    "base_lrs": [0.1],
    "digest": digest(parse(LINEAR).schedule),
}


EMA = {"value": "ema", "schedule": LINEAR}
EPS = {"set": "eps", "schedule": LINEAR}
SCALED = {"set": "lr", "groups": "a", "scaled_by": LINEAR}


def also(*targets):
    return {**LINEAR, "also": [*targets]}


def sequence(*children):
    return {"kind": "SequentialLR", "schedulers": list(children), "milestones": [3]}


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        ({"kind": "LinearRL", "total_steps": 5}, ["kind"]),
        (
            {"kind": "LinearRL", "total_step": "5", "last_epoch": 0.5},
            ["kind", "last_epoch", "", ""],
        ),
        ({"kind": None, "total_steps": 5}, ["kind"]),
        ({"kind": ["LinearLR"]}, ["kind"]),
        ({"total_steps": 5}, [""]),
        ({}, [""]),
        (None, [""]),
        ([LINEAR], [""]),
        ({**LINEAR, "total_steps": "5"}, ["total_steps"]),
        ({**LINEAR, "total_steps": True}, ["total_steps"]),
        ({**LINEAR, "total_steps": None}, ["total_steps"]),
        ({**LINEAR, "total_steps": 0}, ["total_steps"]),
        ({**LINEAR, "total_steps": 2.5}, ["total_steps"]),
        ({**LINEAR, "total_steps": 2**53 + 1}, ["total_steps"]),
        ({**LINEAR, "total_steps": "10 %"}, ["total_steps"]),
        ({**LINEAR, "total_steps": "0%"}, ["total_steps"]),
        ({**LINEAR, "total_steps": "-3ep"}, ["total_steps"]),
        ({**LINEAR, "total_steps": "3%\n"}, ["total_steps"]),
        ({**LINEAR, "end_lr": "3%"}, ["end_lr"]),
        (sequence(LINEAR, LINEAR) | {"milestones": ["rest"]}, ["milestones/0"]),
        ({**LINEAR, "clock": None}, ["clock"]),
        ({**LINEAR, "clock": {"total_steps": "3%"}}, ["clock/total_steps"]),
        ({**LINEAR, "clock": {"total_steps": None}}, ["clock/total_steps"]),
        ({**LINEAR, "clock": {"steps": 5}}, ["clock"]),
        ({**LINEAR, "durations": None}, ["durations"]),
        ({**LINEAR, "durations": [["total_steps", "3 %"]]}, ["durations/0/1"]),
        ({**LINEAR, "durations": [["total_steps"]]}, ["durations/0"]),
        (sequence(LINEAR, {**LINEAR, "clock": {}}), ["schedulers/1"]),
        ({**LINEAR, "end_lr": -1e-9}, ["end_lr"]),
        ({**LINEAR, "end_lr": 10**400}, ["end_lr"]),
        ({**LINEAR, "warmup": 5, "eta_min": 0}, [""]),
        ({"kind": "LinearLR", "total_step": 5}, ["", ""]),
        (sequence(LINEAR, {"kind": "LinearRL", "total_steps": 5}), ["schedulers/1/kind"]),
        (sequence(LINEAR, {"total_steps": 5}), ["schedulers/1"]),
        (sequence(LINEAR, None), ["schedulers/1"]),
        (sequence(LINEAR, "LinearLR"), ["schedulers/1"]),
        (sequence(LINEAR, {**LINEAR, "last_epoch": 3}), ["schedulers/1"]),
        (sequence(LINEAR, {**LINEAR, "$schema": "x"}), ["schedulers/1"]),
        (sequence(LINEAR, sequence(LINEAR, {"kind": "X"})), ["schedulers/1/schedulers/1/kind"]),
        ({**sequence(LINEAR), "schedulers": LINEAR}, ["schedulers"]),
        ({**STATE, "last_epoch": None}, ["last_epoch"]),
        ({**STATE, "last_epoch": -2}, ["last_epoch"]),
        ({**STATE, "base_lrs": None}, ["base_lrs"]),
        ({**STATE, "base_lrs": []}, ["base_lrs"]),
        ({**STATE, "base_lrs": [0.1, "0.1"]}, ["base_lrs/1"]),
        ({**STATE, "digest": None}, ["digest"]),
        ({**STATE, "digest": STATE["digest"] + "\n"}, ["digest"]),
        ({**STATE, "digest": STATE["digest"].upper()}, ["digest"]),
        ({**LINEAR, "base_lrs": [0.1], "digest": STATE["digest"]}, ["", ""]),
        ({**LINEAR, "last_epoch": 0, "digest": STATE["digest"]}, ["", ""]),
        ({**LINEAR, "digest": STATE["digest"]}, ["", ""]),
        ({**LINEAR, "base_lrs": None}, ["base_lrs", "", ""]),
        ({"schedule": LINEAR}, [""]),
        (also(None), ["also/0"]),
        ({**LINEAR, "also": []}, ["also"]),
        ({**LINEAR, "also": EMA}, ["also"]),
        (also({}), ["also/0"]),
        (also({"schedule": LINEAR}), ["also/0"]),
        (also({"set": "eps"}), ["also/0"]),
        (also({"value": "ema"}), ["also/0"]),
        (also(EMA, {**EPS, "set": "betas"}), ["also/1/set"]),
        (also({**EPS, "set": "nesterov[0]"}), ["also/0/set"]),
        (also({**EPS, "set": "eps\n"}), ["also/0/set"]),
        (also({**EPS, "set": None}), ["also/0/set"]),
        (also({**EPS, "set": "lr"}), ["also/0"]),
        (also({**EMA, "value": "momentum"}), ["also/0/value"]),
        (also({**EMA, "value": "batch_size"}), ["also/0/value"]),
        (also({**EMA, "value": "größe"}), ["also/0/value"]),
        (also({**EMA, "set": "eps"}), ["also/0"]),
        (also({**EMA, "groups": "a"}), ["also/0"]),
        (also({"value": "ema", "scaled_by": LINEAR}), ["also/0"]),
        (also({**EMA, "metric": "k l"}), ["also/0/metric"]),
        (also({**EPS, "groups": ""}), ["also/0/groups"]),
        (also({**EPS, "groups": []}), ["also/0/groups"]),
        (also({**EPS, "groups": "layer.*"}), ["also/0/groups"]),
        (also({**EPS, "groups": ["a", 3]}), ["also/0/groups/1"]),
        (also({**EPS, "base": "1"}), ["also/0/base"]),
        (also({**EPS, "base": -1}), ["also/0/base"]),
        (also({**EPS, "base": None}), ["also/0/base"]),
        (also({**EPS, "extra": 1}), ["also/0"]),
        (also({**EPS, "groups": "a", "scaled_by": LINEAR}), ["also/0"]),
        (also({"set": "eps", "scaled_by": LINEAR}), ["also/0"]),
        (also({**SCALED, "base": 1}), ["also/0"]),
        (also({**EPS, "schedule": None}), ["also/0/schedule"]),
        (also({**EPS, "schedule": {"kind": "X"}}), ["also/0/schedule/kind"]),
        (also({**EPS, "schedule": {**LINEAR, "x": 1}}), ["also/0/schedule"]),
        (also({**EPS, "schedule": {**LINEAR, "also": [EMA]}}), ["also/0/schedule"]),
        (also({**SCALED, "scaled_by": {"kind": "X"}}), ["also/0/scaled_by/kind"]),
        (sequence({**LINEAR, "also": [EMA]}), ["schedulers/0"]),
        ({**LINEAR, "param_groups": []}, ["param_groups"]),
        ({**LINEAR, "param_groups": "a"}, ["param_groups"]),
        ({**LINEAR, "param_groups": ["a", 3]}, ["param_groups/1"]),
        ({**LINEAR, "param_groups": ["#a"]}, ["param_groups/0"]),
        ({**LINEAR, "param_groups": [{"name": "#0"}]}, ["param_groups/0/name"]),
        ({**LINEAR, "param_groups": [{"lr": 1}]}, ["param_groups/0"]),
        ({**LINEAR, "param_groups": [{"name": "a", "lr": "1"}]}, ["param_groups/0/lr"]),
        ({**LINEAR, "param_groups": [{"name": "a", "nesterov": 1}]}, ["param_groups/0"]),
        ({**LINEAR, "param_groups": [{"name": "a", "betas": 1}]}, ["param_groups/0/betas"]),
        ({**LINEAR, "optimizer": {}}, ["optimizer"]),
        ({**LINEAR, "optimizer": {"lr": -1}}, ["optimizer/lr"]),
        ({**LINEAR, "optimizer": {"betas[0]": [0.9]}}, ["optimizer/betas[0]"]),
        ({**LINEAR, "optimizer": {"params[0]": 1}}, ["optimizer"]),
        ({**LINEAR, "optimizer": {"lr ": 1}}, ["optimizer"]),
        ({**LINEAR, "$schema": None}, ["$schema"]),
    ],
)
def test_an_error_is_reported_once_at_its_place_and_by_the_models_too(document, paths):
    errors = list(VALIDATOR.iter_errors(document))
    assert sorted("/".join(map(str, error.path)) for error in errors) == sorted(paths)
    assert not any(error.context for error in errors)
    with pytest.raises(SpecError):
        parse(document)


def test_documents_with_targets_are_valid():
    numbers = {"lr": 1, "betas": [0.9, 0.999], "mine[3]": 0, "weight_decay": [0.1]}
    for document in (
        also(EMA, EPS, SCALED),
        also({**EPS, "groups": ["a", "layer_*/b?"], "base": 1, "metric": "kl"}),
        also({**EPS, "set": "betas[0]"}, {**EMA, "base": 0.5}),
        {**LINEAR, "param_groups": ["a", "b/c", {"name": "d", **numbers}], "optimizer": numbers},
        {**LINEAR, "param_groups": ["a", "#1"]},
    ):
        assert VALIDATOR.is_valid(document)
        parse(document)


def test_every_key_of_a_target_is_described_and_bases_are_not_suggested():
    properties = SCHEDULE["properties"]["also"]["items"]["properties"]
    assert all(one["description"].endswith(".") for one in properties.values())
    assert [name for name, one in properties.items() if "doNotSuggest" in one] == ["bases"]
    assert [one["label"] for one in properties["set"]["defaultSnippets"]] == [*SUGGESTED]


def test_a_spec_and_a_state_are_valid():
    assert VALIDATOR.is_valid({**LINEAR, "$schema": "schedule.schema.json"})
    assert VALIDATOR.is_valid(STATE)
    assert VALIDATOR.is_valid({**LINEAR, "total_steps": 1e3})
    assert VALIDATOR.is_valid(sequence(LINEAR, sequence(LINEAR, LINEAR)))


@pytest.mark.parametrize("text", ["3%", "0.03dur", "2ep", "1.5e6sp", "20e9tok", "rest"])
def test_durations_are_valid_with_a_clock_and_in_a_state_as_they_were_written(text):
    assert VALIDATOR.is_valid({**LINEAR, "total_steps": text, "clock": {"total_steps": 1e3}})
    assert VALIDATOR.is_valid({**STATE, "durations": [["total_steps", text]]})
    assert (
        parse({**STATE, "durations": [["total_steps", text]]}).written.schedule.total_steps.text
        == text
    )
