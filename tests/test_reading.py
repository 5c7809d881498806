"""The reader: scalars of YAML 1.2, JSON, and the places of values, with both parsers."""

import json
from math import copysign

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import olm
import olm.text.document
from olm.spec.load import as_spec, load, loads
from olm.text.document import read
from parsers import EXAMPLES, PARSERS, START, verdict, with_each_parser


@pytest.fixture(params=PARSERS)
def parser(request, monkeypatch):
    """Each parser, one after the other."""
    monkeypatch.setattr(olm.text.document, "LOADER", PARSERS[request.param])


NUMBERS = {
    "1e-4": 1e-4,
    "3e-4": 3e-4,
    "1E-4": 1e-4,
    "1.0e-4": 1e-4,
    "1.0e+4": 10000.0,
    "1e3": 1000.0,
    "1e6": 1e6,
    "1.0e6": 1e6,
    "1000.0": 1000.0,
    "+12e03": 12000.0,
    ".5": 0.5,
    "5.": 5.0,
    "-.5E+1": -5.0,
    "-0.0": -0.0,
    "0": 0,
    "-0": 0,
    "+1": 1,
    "010": 10,
    "00100": 100,
    "0x1F": 31,
    "0o17": 15,
    "9007199254740993": 9007199254740993,
}
STRINGS = """
    1_000_000 1:30 190:20:30 yes Yes on ON no off y n Infinity inf -inf nan NaN 1,000 0b11 0X1F
    0O17 0x 0o8 -0x1F 1e e5 . +. -- ... 1e5.5 1.2.3 2026-11-22 tRUE nULL 1e400x = ٣ １
"""
WORDS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


@pytest.mark.parametrize(("text", "value"), [*NUMBERS.items(), *WORDS.items()])
def test_a_scalar_is_resolved_by_yaml_1_2(text, value, parser):
    (read_value,) = read(f"- {text}\n", "a").value
    assert (type(read_value), read_value) == (type(value), value)
    if isinstance(value, float):
        assert copysign(1, read_value) == copysign(1, value)
    assert read(f"- '{text}'\n- \"{text}\"\n- >-\n  {text}\n", "a").value == [text] * 3


@pytest.mark.parametrize("text", STRINGS.split())
def test_any_other_scalar_is_a_string(text, parser):
    assert read(f"a: {text}", "a").value == {"a": text}


@pytest.mark.parametrize("text", [".inf", "-.Inf", "+.INF", ".nan", ".NaN", ".NAN", "1e400"])
@pytest.mark.parametrize("shape", ["[{}]", "{{a: {}}}", "a: {}", "- {}", "{}: a", "{}"])
def test_numbers_that_are_not_finite_are_rejected_everywhere(text, shape, parser):
    (problem,) = read(shape.format(text), "a").problems
    assert problem.code == "number"
    assert problem.place.end - problem.place.column == len(text)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**300), 10**300))
def test_every_number_that_python_writes_is_read_exactly(number):
    for document in with_each_parser(read, f"- {number!r}", "a"):
        assert repr(document.value) == repr([number])


texts = st.text(
    st.characters(
        max_codepoint=0xFFFF,
        exclude_categories=["Cs", "Cc", "Zl", "Zp"],
        exclude_characters="\ufeff\ufffe\uffff",
    ),
    max_size=12,
)
numbers = st.integers(-(10**300), 10**300) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
)


@given(json_values, st.booleans(), st.sampled_from([None, 2, "\t"]), st.sampled_from(["", " "]))
def test_json_is_read_as_the_json_module_reads_it(value, ascii_only, indent, space):
    text = json.dumps(
        value, ensure_ascii=ascii_only, indent=indent, separators=("," + space, ":" + space)
    )
    for document in with_each_parser(read, text, "a"):
        assert document.problems == []
        assert repr(document.value) == repr(value)


def leaves(value, path=()):
    """Every path in a value to a scalar."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


@given(json_values, st.sampled_from([None, 1]))
def test_the_place_of_a_value_is_its_line_and_column(value, indent):
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    for document in with_each_parser(read, text, "a"):
        for path, leaf in leaves(value):
            place = document.places.place(path, at_key=False)
            line = text.split("\n")[place.line - 1]
            assert line[place.column - 1 : place.end - 1] == json.dumps(leaf, ensure_ascii=False)


@pytest.mark.parametrize("spec", EXAMPLES)
def test_json_and_yaml_of_a_spec_are_equal(spec, parser):
    parsed = olm.parse(spec)
    for indent in (None, 2, "\t"):
        assert loads(json.dumps(spec, indent=indent)) == parsed
    for flow in (True, False, None):
        assert loads(yaml.safe_dump(spec, default_flow_style=flow)) == parsed


WRONG = "kind: LinearLR\ntotal_steps: -1\n# a comment\nend_rate: 1\n\nend_lr: 'x'\n"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_endings_change_neither_verdict_nor_place(end, parser):
    assert verdict(WRONG.replace("\n", end)) == verdict(WRONG)
    assert [problem.place.line for problem in verdict(WRONG)[1]] == [2, 4, 6]


def test_a_byte_order_mark_changes_nothing(parser):
    assert verdict("\ufeff" + WRONG) == verdict(WRONG)
    assert verdict(b"\xef\xbb\xbf" + WRONG.encode()) == verdict(WRONG)


def test_a_file_is_read_as_its_text(tmp_path):
    path = tmp_path / "a.olm.yaml"
    path.write_text(START + "# " + "long " * 10_000, encoding="utf-8")
    assert load(path) == load(str(path)) == loads(START)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "b.olm.yaml")


def test_a_spec_can_be_a_path_a_mapping_a_schedule_or_a_spec(tmp_path):
    spec = loads("{kind: LinearLR, total_steps: 10}")
    path = tmp_path / "a.olm.yaml"
    path.write_text("lr: {kind: LinearLR, total_steps: 10}\n")
    for source in (spec, spec.schedule, spec.model_dump()):
        assert as_spec(source) == spec
    for source in (path, str(path)):
        assert as_spec(source, at="lr") == spec
    with pytest.raises(ValueError, match="at='lr' is a place in a file"):
        as_spec(spec, at="lr")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a: [10, 0.5]", [(1, 5, 7), (1, 9, 12)]),
        ("a: [10, 'x', 0.5]", [(1, 5, 7), (1, 9, 12), (1, 14, 17)]),
        ("a:\n- 10\n- 2 words # why\n-\n- &b 1", [(2, 3, 5), (3, 3, 10), (4, 2, 3), (5, 3, 7)]),
        ("a:\n- 1e5\u00a0\n- 2\u00a03", [(2, 3, 6), (3, 3, 6)]),
        ("a: [[1], [2, 3], 4]", [(1, 5, 8), (1, 10, 16), (1, 18, 19)]),
        ("a: [é, 😀😀, 1]", [(1, 5, 6), (1, 8, 10), (1, 12, 13)]),
    ],
)
def test_each_item_of_a_list_has_its_place(text, places, parser):
    found = read(text, "a.yaml").places
    items = [found.place(("a", index), False) for index in range(len(places))]
    assert [(item.line, item.column, item.end) for item in items] == places
    assert not found.has(("a", len(places)))
    assert not found.has(("a", -1))
    _, *scalars = (one for one in yaml.parse(text) if isinstance(one, yaml.ScalarEvent))
    kept = [one for _, (one, _, _) in found.items() if isinstance(one, yaml.ScalarEvent)]
    assert [*map(as_text, kept)] == [*map(as_text, scalars)]
    assert [one for _, one in found.unquoted()] == [one.value for one in kept if one.implicit[0]]


def as_text(event):
    start, end = event.start_mark, event.end_mark
    return event.value, event.implicit, start.line, start.column, end.line, end.column


def test_no_event_of_a_long_list_is_kept():
    found = read(f"a: {[*range(999)]}", "a.yaml").places
    assert (len(found.spans), len([*found.items()])) == (2, 1001)
