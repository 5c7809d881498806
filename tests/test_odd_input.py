"""Input that breaks other readers: both parsers reject it, with a place, in linear time."""

import json
import time

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from olm.problem import LISTED, MAX_PROBLEMS, SHOWN, SpecError, path_of
from olm.spec.load import loads
from olm.text.document import read
from olm.text.source import MAX_BYTES
from parsers import EXAMPLES, START, verdict, with_each_parser


def bomb(levels, line):
    return "a0: &a0 [x, x]\n" + "".join(line.format(n, n - 1) for n in range(1, levels))


ODD = {
    "a key twice": (START + "total_steps: 20\n", "duplicate-key", 3),
    "a key twice in a child": (
        "schedulers: [{kind: WarmupLR, kind: LinearLR}]",
        "duplicate-key",
        1,
    ),
    "true, yes and 1 as keys": (START + "true: 1\nyes: 1\n1: 1\n", "key-type", 3),
    "a merge key": (START + "<<: {end_lr: 1}\n", "merge-key", 3),
    "an alias bomb": (bomb(9, "a{0}: &a{0} [" + ", ".join(["*a{1}"] * 9) + "]\n"), "alias", 2),
    "a merge bomb": (bomb(9, "a{0}: &a{0} {{<<: [*a{1}, *a{1}]}}\n"), "merge-key", 2),
    "a list in itself": ("&a [*a]", "alias", 1),
    "a key that is a list": (START + "? [a]\n: 1\n", "key-type", 3),
    "1,000 brackets": ("[" * 1000 + "]" * 1000, "depth", 1),
    "100,000 brackets": ("[" * 100_000, "depth", 1),
    "100,000 dashes": ("- " * 100_000, "depth", 1),
    "100,000 complex keys": ("? " * 100_000, "depth", 1),
    "keys twice, nested": ("{x: 1, x: " * 10_000, "depth", 1),
    "5,000 digits": (f"total_steps: {'1' * 5000}", "number", 1),
    "40,000 hexadecimal digits": (f"total_steps: 0x{'f' * 40_000}", "number", 1),
    "a sexagesimal of 10,000 places": (f"{START}end_lr: {'1:' * 10_000}1", "type", 3),
    "a quoted infinity": (START + "end_lr: 'inf'\n", "type", 3),
    "half of a character": ('{"kind": "\\ud800"}', "syntax", 1),
    "a character beyond the last": ('{"kind": "\\U99999999"}', "syntax", 1),
    "a byte-order mark inside": (START + "end_lr\ufeff: 1\n", "character", 3),
    "a next line": ("kind: LinearLR\x85total_steps: 10\n", "character", 1),
    "a line separator": ("kind: LinearLR\u2028total_steps: 10\n", "character", 1),
    "a nul": (START + "end_lr: \0\n", "character", 3),
    "a surrogate": (START + "end_lr: \ud800\n", "character", 3),
    "a directive": ("%YAML 1.1\n---\n" + START, "directive", 1),
    "an unknown directive": ("%OLM 1\n---\n" + START, "directive", 1),
    "a version of 5,000 digits": (f"%YAML 1.{'1' * 5000}\n---\n{START}", "directive", 1),
    "two documents": (START + "---\n" + START, "documents", 3),
    "nothing": ("", "empty", 1),
    "a comment": ("# nothing\n\n", "empty", 3),
    "UTF-16": (START.encode("utf-16"), "encoding", 1),
    "Latin-1": ((START + "# é").encode("latin-1"), "encoding", 3),
    "a tag": (START + "end_lr: !!float 1\n", "tag", 3),
    "a tag that runs code": ("!!python/object/apply:os.abort []", "tag", 1),
    "a tab before a key": ("kind: LinearLR\n\ttotal_steps: 10\n", "tab", 2),
    "a byte too many": ("#" * (MAX_BYTES + 1), "size", 1),
    "too many values": ("[" + "0," * 100_000 + "]", "size", 1),
}


@pytest.mark.parametrize(("text", "code", "line"), ODD.values(), ids=ODD)
def test_odd_input_is_rejected_with_a_place(text, code, line):
    for spec, problems in with_each_parser(verdict, text):
        assert spec is None
        assert (code, line) in {(problem.code, problem.place.line) for problem in problems}


BACKSLASH = chr(92)

ESCAPES = {
    "half of a character as a value": f'kind: "{BACKSLASH}uD800"',
    "half of a character before a duplicate key": f'a: 1\na: "{BACKSLASH}udc00"\na: 2',
    "a pair of halves, as JSON has it": f'a: "{BACKSLASH}uD83D{BACKSLASH}uDE00"',
    "half of a character in eight digits": f'a: "{BACKSLASH}U0000dfff"',
    "the first character beyond the last": f'a: "{BACKSLASH}U00110000"',
    "the last character": f'a: "{BACKSLASH}U0010ffff"',
    "letters that are no digits": f'a: "{BACKSLASH}xg1"',
    "an unknown escape": f'a: "{BACKSLASH}z"',
    "half of a character outside quotes": f"a: {BACKSLASH}uD800",
    "1,100 brackets with a key above": "a: " + "[" * 1100,
    "1,100 braces": "{a: " * 1100,
    "2,000 dashes below a key": "b: 1\na:\n" + "- " * 2000,
}
"""What parsers, and versions of libyaml, read differently by themselves."""


@pytest.mark.parametrize("at", ["", "a", "b"])
@pytest.mark.parametrize(
    "text", [*(text for text, _, _ in ODD.values()), *ESCAPES.values()], ids=[*ODD, *ESCAPES]
)
def test_both_parsers_report_the_same_problems_at_the_same_places(text, at):
    def problems():
        document = read(text, "a.yaml", path_of(at))
        return [(problem.code, problem.message, problem.place) for problem in document.problems]

    one, other = with_each_parser(problems)
    assert one == other


@pytest.mark.parametrize(
    "text",
    [
        "kind:\tLinearLR\ntotal_steps:\t10\n",
        '{\n\t"kind": "LinearLR",\n\t"total_steps": 1e1\n}\n',
        "---\nkind: LinearLR\ntotal_steps: 0o12\n...\n",
        "? kind\n: LinearLR\n? total_steps\n: +10\n",
        "# %YAML\nkind: >-\n  LinearLR\n'total_steps': 0xA\n",
        "# yaml-language-server: $schema=x\n{kind: LinearLR, total_steps: 10, $schema: 'x?y'}",
    ],
)
def test_unusual_spellings_of_a_spec_are_read(text):
    assert list(with_each_parser(loads, text)) == [loads(START)] * 2


WORDS_AND_MARKS = (
    "\n\n|\r\n|\n |\n  |-|: |? |--- |\n---\n|\n...\n|: >-\n|<<: |&a |*a|!!str |!x |%YAML 1.1\n|%X\n"
    "|\\ud800|\\x|\\U00110000|{c:}|[c:]|a:[1]|a:{}|[? a]|[?x]|a?b|>-#x\n|\"a\":1|'a' : b|\ufeff"
    "|\x85|\u2028|\0|.inf|1e999|null|kind|kind: LinearLR\n|" + "x" * 1030
)
PIECES = [*"\t\n\r :-?|>&*!%@`{}[],'\"#\\~=<.0é中", *WORDS_AND_MARKS.split("|"), "|#\n", ": |\n "]


@st.composite
def almost_specs(draw):
    """A spec in YAML or JSON with some parts replaced."""
    spec = draw(st.sampled_from(EXAMPLES))
    flow = draw(st.sampled_from([True, False, None]))
    text = draw(
        st.sampled_from([yaml.safe_dump(spec, default_flow_style=flow), json.dumps(spec, indent=1)])
    )
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.sampled_from([0, 0, 1, 2, 8]))
        text = text[:start] + draw(st.sampled_from(PIECES)) + text[end:]
    return text


@settings(max_examples=1000)
@given(almost_specs())
@example("{$schema: a?b, kind: LinearLR, total_steps: 10}")
@example("{kind: SequentialLR, milestones:[], schedulers: [{kind: WarmupLR, warmup_steps: 1}]}")
@example("kind: |-#\n  LinearLR\ntotal_steps: 10\n")
@example("%X\n---\nkind: LinearLR\ntotal_steps: 10\n")
@example("{kind: LinearLR, total_steps: 10, end_lr:}")
def test_both_parsers_give_the_same_verdict(text):
    (spec, problems), (other_spec, other_problems) = with_each_parser(verdict, text)
    assert spec == other_spec
    assert bool(problems) == bool(other_problems)
    documents = list(with_each_parser(read, text, "a"))
    if not any(document.problems for document in documents):
        assert repr(documents[0].value) == repr(documents[1].value)
        assert problems == other_problems


@given(st.text() | st.binary() | almost_specs())
def test_any_input_is_a_spec_or_a_list_of_problems_with_places(data):
    for spec, problems in with_each_parser(verdict, data):
        assert (spec is None) == bool(problems)
        for problem in problems:
            place = problem.place
            assert place.file == "a.olm.yaml"
            assert place.line >= 1
            assert 1 <= place.column < place.end or problem.code == "size"
            assert (problem.message + problem.hint).isprintable()
            assert len(problem.message + problem.hint) < 300
        places = [(problem.place.line, problem.place.column) for problem in problems]
        assert places == sorted(places)


def test_an_error_text_is_short_for_any_input():
    text = START + "".join(f"{'key' * 20}{number}: {'x' * 50}\n" for number in range(5000))
    for _, problems in with_each_parser(verdict, text):
        assert len(problems) == MAX_PROBLEMS
        assert len(str(SpecError(problems))) < LISTED * (SHOWN + 160)


SLOW = {
    "unknown keys on one line": ("{{kind: LinearLR, {}}}", "key{}: 1,"),
    "a key again and again on one line": ("{{kind: LinearLR, {}}}      ", "a: 1,"),
    "infinities": ("kind: SequentialLR\nmilestones: [{}]", ".inf,"),
    "tags": ("kind: SequentialLR\nmilestones:\n{}", "- !a 1\n"),
    "kinds that there are not": ("{{kind: SequentialLR, schedulers: [{}]}}", "{{kind: Lin{}}},"),
}


@pytest.mark.parametrize(("around", "piece"), SLOW.values(), ids=SLOW)
def test_the_time_to_reject_a_text_is_linear(around, piece):
    def seconds(count):
        text = around.format("".join(piece.format(number) for number in range(count)))
        start = time.process_time()
        assert verdict(text)[0] is None
        return time.process_time() - start

    seconds(100)
    # Sixteen times the length: a quadratic algorithm would take up to 256 times as long.
    assert seconds(16 * 1500) < 60 * max(seconds(1500), 0.005)
