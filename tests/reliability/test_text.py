"""YAML, and what other readers and validators make of it. Row 13."""

import json
import resource
import subprocess
import sys

import jsonschema
import pydantic
import pytest
import yaml

import olm
from failures import raised, still
from olm.kinds import KINDS
from olm.schema.json_schema import schedules_schema
from parsers import with_each_parser

LINEAR = "kind: LinearLR\ntotal_steps: {}\nend_lr: {}\n"


def problems(text):
    """The codes of what is wrong with a text, the same with either parser."""

    def codes(text):
        try:
            return [olm.loads(text), []]
        except olm.SpecError as error:
            return [None, [problem.code for problem in error.problems]]

    (spec, found), (other, others) = with_each_parser(codes, text)
    assert (spec, found) == (other, others)
    return found


def linear(steps="1000", end="0.0"):
    """The length and the end of the line that a text says."""
    schedule = olm.loads(LINEAR.format(steps, end)).schedule
    return schedule.total_steps, schedule.end_lr


@pytest.mark.reliability("13")
@pytest.mark.parametrize("text", ["1e-4", "3e-4", "1E-4", "1.0e-4", "1e-04"])
def test_a_number_with_an_exponent_is_a_number(text):
    """PyYAML reads the number 1e-4 as a string (pyyaml#173)."""
    still("1e-4 is a string", yaml.safe_load("1e-4") == "1e-4")
    assert linear(end=text) == (1000, float(text))


@pytest.mark.reliability("13")
@pytest.mark.parametrize("text", ["1e3", "1.0e3", "1000.0", "1.0e+3", "01000", "1000"])
def test_an_integer_can_be_written_as_any_number(text):
    """A thousand steps as 1e3 or 1000.0: validators disagree."""
    still("1e3 is a string", yaml.safe_load("1e3") == "1e3")
    strict = pydantic.TypeAdapter(int, config=pydantic.ConfigDict(strict=True))
    still("pydantic refuses 1000.0", raised(strict.validate_python, 1000.0) == "ValidationError")
    steps, _ = linear(steps=text)
    assert (type(steps), steps) == (int, 1000)
    value = json.loads(json.dumps(float(text)))
    assert jsonschema.Draft7Validator({"type": "integer"}).is_valid(value)


@pytest.mark.reliability("13")
@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "true", "false", "'1e-4'", "' 5 '"])
def test_words_and_quoted_numbers_are_not_rates(text):
    """Pydantic reads the text yes as 1.0, and a number in quotes as a number."""
    value = yaml.safe_load(text)
    still("it is a rate", raised(pydantic.TypeAdapter(float).validate_python, value) == "nothing")
    assert problems(LINEAR.format(1000, text)) == ["type"]


@pytest.mark.reliability("13")
@pytest.mark.parametrize(
    ("text", "theirs", "ours"),
    [("010", 8, 10), ("00100", 64, 100), ("1:30", 90, None), ("190:20:30", 685230, None)],
)
def test_a_number_is_decimal_and_has_no_colons(text, theirs, ours):
    """PyYAML reads 010 as 8 and 1:30 as 90."""
    still(f"{text} is {theirs}", yaml.safe_load(text) == theirs)
    if ours is None:
        assert problems(LINEAR.format(text, 0)) == ["duration"]
    else:
        assert linear(steps=text) == (ours, 0.0)


@pytest.mark.reliability("13")
@pytest.mark.parametrize("text", [".inf", "-.inf", ".nan", "1e400", "'inf'", "Infinity", "NaN"])
def test_a_number_is_finite(text):
    """Pydantic accepts .inf, and jsonschema accepts nan within any bounds; neither is a rate."""
    nan, lax = yaml.safe_load(".nan"), pydantic.TypeAdapter(float)
    bounded = jsonschema.Draft7Validator({"type": "number", "minimum": 0, "maximum": 1})
    still("jsonschema takes nan for a number of 0 to 1", bounded.is_valid(nan))
    still("pydantic takes the text inf", lax.validate_python("inf") == float("inf"))
    assert problems(LINEAR.format(1000, text)) in (["number"], ["type"])


@pytest.mark.reliability("13")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("kind: LinearLR\ntotal_steps: 10\ntotal_steps: 20\n", "duplicate-key"),
        ("kind: LinearLR\ntotal_steps: 10\non: 1\n", "unknown-field"),
        ("kind: LinearLR\ntotal_steps: 10\n1: 2\n", "key-type"),
        ("kind: LinearLR\ntotal_steps: 10\ntrue: 2\n", "key-type"),
        ("kind: LinearLR\ntotal_steps: &a 10\n", "anchor"),
        ("kind: LinearLR\ntotal_steps: 10\n<<: {end_lr: 1}\n", "merge-key"),
        ("kind: LinearLR\ntotal_steps: !!int 10\n", "tag"),
        ("%YAML 1.2\n---\nkind: LinearLR\ntotal_steps: 10\n", "directive"),
        ("kind: LinearLR\ntotal_steps: 10\n---\nkind: LinearLR\ntotal_steps: 10\n", "documents"),
        ("kind: LinearLR\ntotal_steps: 10\nend_rl: 0.1\n", "unknown-field"),
        ("", "empty"),
        ("# nothing\n", "empty"),
    ],
)
def test_syntax_that_hides_errors_is_an_error(text, code):
    """PyYAML silently keeps the last duplicate key, and reads on: as the key True (pyyaml#165)."""
    still("the last one wins", yaml.safe_load("a: 1\na: 2") == {"a": 2})
    still("on is True", yaml.safe_load("on: 1") == {True: 1})
    still("nothing is None", yaml.safe_load("# nothing") is None)
    assert code in problems(text)


def aliases(levels):
    """Lists of lists of lists, each ten times the one before: short, and endless to print."""
    lines = ["a0: &a0 [x]"]
    for level in range(1, levels + 1):
        ten = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{ten}]")
    return "\n".join(lines)


MINUTE = 60


@pytest.mark.reliability("13")
@pytest.mark.parametrize(
    "text",
    [
        aliases(30),
        "a: &a [*a]",
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"kind": ' * 50_000 + "1" + "}" * 50_000,
        "total_steps: " + "9" * 5_000,
        "total_steps: 0x" + "f" * 40_000,
        "total_steps: " + ":".join(["1"] * 5_000),
        "kind: LinearLR\n" + "".join(f"key{index}: 1\n" for index in range(20_000)),
    ],
    ids=[
        "aliases",
        "itself",
        "lists",
        "maps",
        "items",
        "closed",
        "json",
        "decimal",
        "hex",
        "colons",
        "keys",
    ],
)
def test_a_malicious_text_is_rejected_quickly_and_briefly(text):
    """A few hundred bytes of aliases load at once and hang whatever prints them (pyyaml#235)."""
    start = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    with pytest.raises(olm.SpecError) as caught:
        olm.loads(text)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - start < MINUTE
    assert len(str(caught.value)) < 5_000


@pytest.mark.reliability("13")
def test_aliases_that_grow_without_bounds_are_rejected():
    """YAML aliases grow a thousandfold when they are printed; lists recurse (pyyaml#235)."""
    small = aliases(5)
    still("its text is a thousand times as long", len(str(yaml.safe_load(small))) > 1000 * 300)
    still("PyYAML recurses", raised(yaml.load, "[" * 2000, yaml.SafeLoader) == "RecursionError")
    assert {"anchor", "alias"} <= {*problems(f"kind: LinearLR\ntotal_steps: 10\n{small}")}


@pytest.mark.reliability("13")
def test_deep_brackets_crash_the_loader_of_libyaml_and_not_ours():
    """CSafeLoader of PyYAML overflows the C stack at 100,000 brackets and crashes the process."""
    command = "import yaml; yaml.load('[' * 100_000 + ']' * 100_000, yaml.CSafeLoader)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True)
    still("the process is killed by a signal", done.returncode < 0)

    with pytest.raises(olm.SpecError, match="nested"):
        olm.loads("[" * 100_000 + "]" * 100_000)


@pytest.mark.reliability("13")
@pytest.mark.parametrize(
    "text", ["a:\t1", '{\n\t"a": 1\n}', "a: \ufeffb", "a: \x85b", "a: \u2028b"]
)
def test_the_verdict_does_not_depend_on_libyaml(text):
    """The two parsers of PyYAML disagree on tabs and other characters: libyaml decides."""
    tabs = '{\n\t"a": 1\n}'
    loaders = (yaml.SafeLoader, yaml.CSafeLoader)
    verdicts = {raised(yaml.load, tabs, loader) for loader in loaders}
    still("one of them refuses JSON with tabs", len(verdicts) == 2)
    problems(text)
    problems(f"kind: LinearLR\ntotal_steps: 10\n{text}")


@pytest.mark.reliability("13")
@pytest.mark.parametrize(
    "document",
    [
        {"kind": "LinearLR", "total_steps": 0},
        {"kind": "LinearLR", "total_steps": "1000"},
        {"kind": "LinearLR", "total_steps": True},
        {"kind": "LinearLR", "total_steps": 10**30},
        {"kind": "LinearLR", "total_steps": 1000.5},
        {"kind": "LinearLR", "total_steps": 1000, "end_lr": 1e300},
        {"kind": "LinearLR", "total_steps": 1000, "end_lr": -1},
        {"kind": "LinearLR", "total_step": 1000},
        {"kind": "LinearLR"},
        {"kind": "LinearLR", "total_steps": 1000.0},
        {"kind": "LinearLR", "total_steps": 1000, "end_lr": 1},
    ],
)
def test_the_schema_and_the_library_agree_on_a_document(document):
    """The JSON Schema that pydantic writes may reject what pydantic accepts.

    In lax mode, pydantic accepts "1000", and in strict mode, it rejects 1000.0, which is an integer
    for JSON Schema; and `allow_inf_nan` is not in the schema.
    """
    lax = pydantic.TypeAdapter(int)
    still("pydantic takes it", lax.validate_python("1000") == 1000)
    finite = pydantic.TypeAdapter(float, config=pydantic.ConfigDict(allow_inf_nan=False))
    still("its schema does not say finite", finite.json_schema() == {"type": "number"})

    valid = jsonschema.Draft7Validator(schedules_schema(KINDS)).is_valid(document)
    assert valid == (raised(olm.parse, document) == "nothing")
    assert valid == (raised(olm.loads, json.dumps(document)) == "nothing")


@pytest.mark.reliability("13")
@pytest.mark.parametrize(
    "change",
    [{"total_steps": 0}, {"total_steps": float("nan")}, {"total_step": 5}, {"end_lr": "0.1"}],
)
def test_a_spec_cannot_be_changed_into_one_that_is_not_valid(change):
    """In pydantic, model_copy(update=...) and assignment bypass validation."""

    class Model(pydantic.BaseModel):
        steps: pydantic.PositiveInt

    still("a copy is not validated", Model(steps=1).model_copy(update={"steps": -1}).steps == -1)

    schedule = olm.loads(LINEAR.format(1000, 0)).schedule
    with pytest.raises(ValueError, match=next(iter(change))):
        schedule.model_copy(update=change)
    with pytest.raises(pydantic.ValidationError):
        schedule.total_steps = 5
    assert schedule.total_steps == 1000
