"""A schedule inside a larger file: its value, its places, and the error if it is missing."""

import json
import tomllib

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

import olm
from olm.problem import SpecError, dotted, path_of
from olm.text.document import read
from parsers import with_each_parser

AROUND = """\
defaults: &d {lr: 1, <<: {a: 2}}
model: !custom
  ? [a, b]
  : *d
  twice: 1
  twice: 2
  when: 2020-01-01
optim:
  schedules:
    - kind: LinearLR
      total_steps: 0
    - {kind: LinearLR, total_step: 5}
  "v1.2": {kind: LinearLR, total_steps: 7}
"""


def problems(text, at, name="a.yaml"):
    with pytest.raises(SpecError) as caught:
        olm.loads(text, name, at=at)
    return [str(problem) for problem in caught.value.problems]


def test_the_rest_of_the_file_may_be_anything():
    spec = olm.loads(AROUND, at='optim."v1.2"')
    assert spec.schedule.total_steps == 7
    (first,) = problems(AROUND, "optim.schedules[0]")
    assert first == "a.yaml:11:20: error[range]: total_steps must be at least 1, found 0"
    assert problems(AROUND, "optim.schedules.1")[-1].startswith(
        "a.yaml:12:24: error[unknown-field]"
    )


WAYS = {
    "optm": "1:1: {} `optm` at the root (did you mean `optim`?)",
    "optim.schedule": "9:3: {} `schedule` in optim (did you mean `schedules`?)",
    "optim.schedules[2]": "10:5: {} `2` in optim.schedules (found a list of 2 items)",
    "optim.schedules.a": "10:5: {} `a` in optim.schedules (found a list of 2 items)",
    "defaults.lr.x": "1:19: {} `x` in defaults.lr (found a single value)",
    "optim.schedules[0].kind.x": "10:13: {} `x` in optim.schedules[0].kind (found a single value)",
}


@pytest.mark.parametrize(("at", "said"), WAYS.items(), ids=WAYS)
def test_an_unknown_path_is_reported_at_its_last_known_part(at, said):
    assert problems(AROUND, at) == ["a.yaml:" + said.format("error[at]: there is no")]


def test_errors_in_the_part_are_reported():
    text = "a: !x 1\nlr: &b\n  kind: LinearLR\n  total_steps: !!int 5\n  total_steps: 6\n"
    codes = [line.split("[")[1].split("]")[0] for line in problems(text, "lr")]
    assert codes == ["anchor", "tag", "duplicate-key"]


def test_a_duplicate_part_is_reported_at_both_places():
    text = "lr: {kind: LinearLR, total_steps: 1}\nlr: {kind: LinearLR, total_steps: 2}\n"
    assert problems(text, "lr") == ["a.yaml:2:1: error[at]: duplicate lr (first on line 1)"]


def test_an_error_after_the_part_is_reported():
    text = "lr: {kind: LinearLR, total_steps: 1}\nrest: [1\n"
    (said,) = problems(text, "lr")
    assert "error[syntax]" in said


def test_a_spec_may_be_in_a_later_document():
    text = "a: 1\n---\nlr: {kind: LinearLR, total_steps: 1}\n"
    assert olm.loads(text, at="lr").schedule.total_steps == 1


def test_a_toml_table_is_a_part():
    text = (
        '[tool.x]\na = 1\n\n[optim]\nname = "adam"\n\n[optim.lr]\nkind = "LinearLR"\n'
        "total_steps = 0\nend_lr = -1.0\n"
    )
    assert problems(text, "optim.lr", "a.toml") == [
        "a.toml:9:1: error[range]: total_steps must be at least 1, found 0",
        "a.toml:10:1: error[range]: end_lr must be at least 0, found -1.0",
    ]


def test_lists_of_toml_tables_have_their_lines():
    text = (
        'kind = "SequentialLR"\nmilestones = [\n  5,\n]\n[[schedulers]]\nkind = "LinearLR"\n'
        'total_steps = 3\n[[schedulers]]\nkind = "LinearLR"\ntotal_steps = "x"\n'
    )
    (said,) = problems(text, "", "a.toml")
    assert said.startswith("a.toml:10:1: error[type]: total_steps must be a whole number")


def test_values_after_a_long_list_have_correct_lines():
    text = "a = [\n" + "  1, # ]\n" * 5000 + "]\n[lr]\nkind = 'LinearLR'\ntotal_steps = 0\n"
    assert problems(text, "lr", "a.toml")[0].startswith("a.toml:5005:1: error[range]")


def test_no_toml_string_is_mistaken_for_the_end_of_a_statement():
    strings = ['"[\\""', "'[\"'", '"""\n]"" \\""" [""""', "'''\n\\]'' ['''''", '"#"', "''", '""']
    lines, text = {}, ""
    for number, string in enumerate(strings):
        lines[f"a{number}"] = text.count("\n") + 1
        text += f"a{number} = [ {string},  # ]'\n ]  # [\n"
    document = read(text, "a.toml")
    assert document.problems == []
    assert {name: document.places.place((name, 0)).line for name in lines} == lines


def test_invalid_toml_is_reported_with_its_line():
    (said,) = problems("a = 1\nb = \n", "a", "a.toml")
    assert said.startswith("a.toml:2:1: error[syntax]: invalid TOML: ")


def test_a_schedule_is_loaded_and_built_from_inside_a_file(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "train.yaml"
    path.write_text("model: !x 1\noptim: {lr: {kind: LinearLR, total_steps: 4}}\n")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = olm.build(path, optimizer, at="optim.lr")
    assert scheduler.schedule == olm.load(path, at="optim.lr").schedule
    with pytest.raises(ValueError, match=r"expected a place such as optim\.schedules\[0\]"):
        olm.build(path, optimizer, at="optim..lr")
    with pytest.raises(ValueError, match="at='lr' is a place in a file, and the spec is none"):
        olm.build({"kind": "LinearLR", "total_steps": 4}, optimizer, at="lr")
    with pytest.raises(SpecError, match="there is no `sched` in optim"):
        olm.build(str(path), optimizer, at="optim.sched")


KEYS = st.text("abé .[]1-\"'", min_size=1, max_size=4) | st.sampled_from(["kind", "0", "a.b"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=9)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)
MAPPINGS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


def paths_in(value, path=()):
    if not isinstance(value, dict | list):
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key), inner
        yield from paths_in(inner, (*path, key))


def nodes_in(node, path=()):
    """Every node that PyYAML composes, by path."""
    yield path, node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from nodes_in(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from nodes_in(value, (*path, index))


@given(MAPPINGS, st.booleans(), st.data())
def test_every_part_of_a_yaml_text_is_found_with_its_places(value, flow, data):
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, width=10**6)
    assume("<<" not in text)
    at, _ = data.draw(st.sampled_from(list(paths_in(value))))
    composed = dict(nodes_in(yaml.compose(text)))
    whole = read(text, "a.yaml")
    assume(whole.readable and not whole.problems)
    expected = whole.value
    for part in at:
        expected = expected[part]
    for document in with_each_parser(read, text, "a.yaml", at):
        assert document.problems == []
        assert document.value == expected
        for path, _ in paths_in(expected):
            mark = composed[at + path].start_mark
            place = document.places.place(path, at_key=False)
            if str(composed[at + path].value):
                assert (place.line, place.column) == (mark.line + 1, mark.column + 1)


@given(MAPPINGS, st.data())
def test_json_is_read_as_the_json_module_does(value, data):
    at, expected = data.draw(st.sampled_from(list(paths_in(value))))
    for indent in (None, 2):
        document = read(json.dumps(value, indent=indent), "a.json", at)
        assert (document.problems, document.value) == ([], expected)


@given(MAPPINGS, st.data())
def test_a_formatted_path_leads_to_the_same_part(value, data):
    at, expected = data.draw(st.sampled_from(list(paths_in(value))))
    assume(not any('"' in str(part) for part in at))
    written = ".".join(f'"{part}"' if isinstance(part, str) else str(part) for part in at)
    assert [str(part) for part in path_of(written)] == [str(part) for part in at]
    assert read(json.dumps(value), "a.json", path_of(written)).value == expected


SIMPLE = st.from_regex(r"[a-z_][a-z0-9_-]{0,5}", fullmatch=True)


@given(st.lists(SIMPLE | st.integers(0, 99), min_size=1).filter(lambda p: isinstance(p[0], str)))
def test_a_path_can_be_written_as_in_messages(path):
    assert path_of(dotted(tuple(path))) == tuple(path)


TOML_SCALARS = (
    st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9).filter(str.isprintable)
    | st.sampled_from(["a\nb", "[x]\n# no\nc = 1", '"""', "'''"])
)
TOML_KEYS = st.sampled_from(["a", "b", "c d", "é", "a.b", "1", "kind"])
TOML_VALUES = st.recursive(
    TOML_SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TOML_KEYS, inner, max_size=3),
    max_leaves=6,
)
TABLES = st.recursive(
    st.dictionaries(TOML_KEYS, TOML_VALUES, max_size=3),
    lambda inner: st.dictionaries(
        TOML_KEYS, inner | st.lists(inner, min_size=1, max_size=3), max_size=3
    ),
    max_leaves=6,
)


def toml_key(key):
    return key if key.isascii() and key.isalnum() else json.dumps(key, ensure_ascii=False)


def toml_value(value, multi):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if multi and "\n" in value:
            return '"""\n' + value.replace("\\", "\\\\").replace('"', '\\"') + '"""'
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, list):
        inner = [toml_value(item, multi) for item in value]
        return "[\n  " + ",\n  ".join(inner) + "\n]" if multi and inner else f"[{', '.join(inner)}]"
    if isinstance(value, dict):
        pairs = (f"{toml_key(key)} = {toml_value(item, False)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    return repr(value)


def toml_lines(table, path, multi, lines, places):
    """Write a table, and record the line of each key that starts a statement."""
    later = []
    for key, value in table.items():
        is_list = isinstance(value, list) and value and all(isinstance(v, dict) for v in value)
        if isinstance(value, dict) or is_list:
            later.append((key, value))
            continue
        places[(*path, key)] = len(lines) + 1
        lines += f"{toml_key(key)} = {toml_value(value, multi)}  # {key}".split("\n")
    for key, value in later:
        for index, inner in enumerate(value if isinstance(value, list) else [value]):
            where = (*path, key, index) if isinstance(value, list) else (*path, key)
            name = ".".join(toml_key(part) for part in where if isinstance(part, str))
            lines.append("")
            places[where] = len(lines) + 1
            lines.append(f"[[{name}]]" if isinstance(value, list) else f"[ {name} ]")
            toml_lines(inner, where, multi, lines, places)


@given(TABLES, st.booleans())
def test_every_part_of_a_toml_text_is_found_with_its_line(table, multi):
    lines, places = [], {}
    toml_lines(table, (), multi, lines, places)
    text = "\n".join(lines) + "\n"
    assert tomllib.loads(text) == table
    whole = read(text, "a.toml")
    assert (whole.problems, whole.value) == ([], table)
    for path, line in places.items():
        assert whole.places.place(path).line == line, path
        expected = table
        for part in path:
            expected = expected[part]
        document = read(text, "a.toml", path)
        assert (document.problems, document.value) == ([], expected)
        assert document.places.place(()).line == line
        for inner, _ in paths_in(expected):
            own = next(
                places[p]
                for n in range(len(path + inner), -1, -1)
                if (p := (path + inner)[:n]) in places
            )
            assert document.places.place(inner).line >= own


@given(MAPPINGS, st.lists(KEYS | st.integers(0, 3), min_size=1, max_size=3))
def test_a_missing_part_is_one_finding(value, at):
    there = value
    for part in at:
        try:
            there = there[int(part) if isinstance(there, list) else str(part)]
        except (KeyError, IndexError, TypeError, ValueError):
            break
    else:
        assume(False)
    document = read(json.dumps(value), "a.json", tuple(at))
    assert [problem.code for problem in document.problems] == ["at"]
    assert not document.readable
    assert len(document.problems[0].message) < 400


@pytest.mark.parametrize(
    "text", ["[" * 1_000_000, "? " * 500_000, "{a: " * 250_000, "- " * 500_000]
)
def test_a_deeply_nested_file_is_rejected_at_once(text):
    """The time of a parser grows with the square of the depth: this would take hours."""
    document = read(text, "a.yaml", ("a", "b"))
    assert [problem.code for problem in document.problems] == ["depth"]
    assert not document.readable
