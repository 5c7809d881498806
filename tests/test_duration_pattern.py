"""The pattern of durations in the JSON Schemas accepts what the models accept, in every reader."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pydantic import ValidationError

from olm.fields.durations import MOST_TERMS, UNITS, duration

from .durations import ALL, MAPPING, TAKES, TYPES, refused_of, schema_of_a_mapping

every_type = pytest.mark.parametrize("name", TYPES)

VALIDATORS = {name: Draft7Validator(adapter.json_schema()) for name, adapter in TYPES.items()}

PIECES = [*"0123456789.eE+-% \n_", "10", "e9", *UNITS, "rest", "EP", "３"]


def takes(name, value):
    try:
        TYPES[name].validate_python(value)
    except ValidationError:
        return False
    return True


@every_type
def test_a_type_accepts_exactly_its_durations(name):
    assert [text for text in ALL if takes(name, text)] == TAKES[name]


@every_type
def test_a_pattern_accepts_exactly_its_durations(name):
    assert [text for text in ALL if VALIDATORS[name].is_valid(text)] == TAKES[name]


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_a_type_and_its_pattern_accept_the_same(text):
    for name in TYPES:
        assert takes(name, text) == VALIDATORS[name].is_valid(text), name


@given(st.integers(0, 10**15), st.integers(0, 99), st.sampled_from([*UNITS]))
def test_every_amount_of_every_unit_is_a_duration_to_both(amount, exponent, unit):
    text = f"{amount}e{exponent}{unit}"
    assert duration(text)
    assert takes("Steps", text)
    assert VALIDATORS["Steps"].is_valid(text)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("+-"), st.sampled_from(["0", "1", "2.5e-3"]), st.sampled_from([*UNITS])
        ),
        min_size=1,
        max_size=MOST_TERMS + 1,
    )
)
def test_every_sum_of_a_few_terms_is_a_duration_to_both(terms):
    text = "".join(map("".join, terms)).removeprefix("+")
    assert (duration(text) is not None) == (len(terms) <= MOST_TERMS)
    for name in TYPES:
        assert takes(name, text) == VALIDATORS[name].is_valid(text), (name, text)


def test_a_long_text_that_is_nearly_a_sum_is_rejected_at_once():
    for text in ("1ep+" * 10**5, "1" * 10**6, "1ep" + "+1e9" * 10**5, "1ep-" + "0" * 10**6):
        assert duration(text) is None
        assert not takes("Steps", text)


@every_type
def test_check_jsonschema_accepts_the_same(name, tmp_path):
    schema, instance = tmp_path / "schema.json", tmp_path / "instance.json"
    schema.write_text(json.dumps(schema_of_a_mapping(name)))
    instance.write_text(json.dumps(MAPPING))
    command = [sys.executable, "-m", "check_jsonschema", "-o", "json", "--schemafile"]
    done = subprocess.run([*command, str(schema), str(instance)], capture_output=True, text=True)
    paths = [error["path"] for error in json.loads(done.stdout)["errors"]]
    assert sorted(paths) == sorted(f"$['{key}']" for key in refused_of(name))
