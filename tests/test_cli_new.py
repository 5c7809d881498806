"""``olm new``: specs to fill in, which are valid as they are."""

import json
import re

import pytest
import yaml

import olm
from olm.cli import FINE, MISUSE, main
from olm.fields.types import memory_fields
from olm.kinds import KINDS
from olm.schema.documentation import fields

every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A repository of its own, without a schema."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(capsys, *arguments):
    status = main(["new", *arguments])
    said = capsys.readouterr()
    assert (status, said.err) == (FINE, "")
    return said.out


def optional(kind):
    """The fields that a spec of the kind may have besides what it needs."""
    return {field.name for field in fields(KINDS[kind])} - {*memory_fields(KINDS[kind])}


@every_kind
def test_what_is_printed_passes_the_check_and_has_the_values_of_the_first_example(kind, capsys):
    text = new(capsys, kind)
    example = KINDS[kind].examples[0]
    written = yaml.safe_load(text)
    assert written == {"kind": kind} | {name: example[name] for name in written if name != "kind"}
    assert olm.loads(text).schedule.kind == kind
    required = {name for name, one in KINDS[kind].model_fields.items() if one.is_required()}
    assert required <= {*written}


@every_kind
def test_each_field_is_there_once_in_comments_or_not(kind, capsys):
    names = re.findall(r"^(?:# )?(\w+):(?= |$)", new(capsys, kind), re.MULTILINE)
    assert sorted(name for name in names if name in optional(kind)) == sorted(optional(kind))


@every_kind
def test_a_field_in_comments_may_be_uncommented_and_changes_nothing(kind, capsys):
    text = new(capsys, kind)
    names = "|".join(optional(kind))
    uncommented = re.sub(rf"^# (?=(?:{names}): )", "", text, flags=re.MULTILINE)
    assert {*yaml.safe_load(uncommented)} == {"kind"} | optional(kind)
    assert olm.loads(uncommented) == olm.loads(text)


@every_kind
def test_with_all_what_may_be_left_out_is_written_and_changes_nothing(kind, capsys):
    everything = new(capsys, kind, "--all")
    assert {*yaml.safe_load(everything)} == {"kind"} | optional(kind)
    assert olm.loads(everything) == olm.loads(new(capsys, kind))


@every_kind
def test_lines_are_short_and_no_number_is_a_string_to_a_reader_of_yaml_1_1(kind, capsys):
    text = new(capsys, kind, "--all")
    assert max(map(len, text.splitlines())) <= 100
    assert olm.parse(yaml.safe_load(text)) == olm.loads(text)


@every_kind
@pytest.mark.parametrize("more", [[], ["--all"]], ids=["", "all"])
def test_a_spec_in_json_says_the_same(kind, more, folder, capsys):
    new(capsys, kind, "--out", "spec.olm.json", *more)
    text = (folder / "spec.olm.json").read_text()
    assert json.loads(text) == yaml.safe_load(new(capsys, kind, *more))
    assert olm.load("spec.olm.json") == olm.loads(text)


def test_a_schema_in_the_repository_is_named_from_where_the_spec_is(folder, capsys):
    for place in ("schemas", "conf/specs"):
        (folder / place).mkdir(parents=True)
    (folder / "schemas" / "schedule.schema.json").touch()
    new(capsys, "HoldLR", "--out", "conf/specs/a.olm.yaml")
    first = (folder / "conf" / "specs" / "a.olm.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../schemas/schedule.schema.json"
    assert new(capsys, "HoldLR").startswith(
        "# yaml-language-server: $schema=schemas/schedule.schema.json\n"
    )
    (folder / "conf" / "schedule.schema.json").touch()
    new(capsys, "HoldLR", "--out", "conf/specs/a.olm.json")
    assert olm.load("conf/specs/a.olm.json")
    written = json.loads((folder / "conf" / "specs" / "a.olm.json").read_text())
    assert written["$schema"] == "../schedule.schema.json"


def test_a_schema_outside_the_repository_is_not_found(folder, capsys, monkeypatch):
    (folder / "schedule.schema.json").touch()
    (folder / "inner" / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder / "inner")
    assert "$schema=schedule.schema.json`" in new(capsys, "HoldLR")


def test_without_a_schema_it_says_how_to_get_one_and_names_none(capsys):
    text = new(capsys, "HoldLR")
    assert "`olm schema --out schedule.schema.json`" in text
    assert not re.search(r"^#\s+yaml-language-server\s*:", text, re.MULTILINE)


def test_a_schema_may_be_named_by_url(capsys):
    url = "https://example.org/v1/schedule.schema.json"
    assert new(capsys, "HoldLR", "--schema", url).startswith(
        f"# yaml-language-server: $schema={url}\n"
    )


def test_a_file_that_is_there_is_kept_unless_forced(folder, capsys):
    (folder / "a.olm.yaml").write_text("mine")
    assert main(["new", "HoldLR", "--out", "a.olm.yaml"]) == MISUSE
    said = "olm new: a.olm.yaml already exists: --force overwrites it\n"
    assert capsys.readouterr() == ("", said)
    assert (folder / "a.olm.yaml").read_text() == "mine"
    assert new(capsys, "HoldLR", "--out", "a.olm.yaml", "--force") == "wrote a.olm.yaml\n"
    assert olm.load("a.olm.yaml").schedule.kind == "HoldLR"


def test_a_file_that_cannot_be_written_is_misuse(capsys):
    assert main(["new", "HoldLR", "--out", "nowhere/a.olm.yaml"]) == MISUSE
    said = "olm new: cannot write nowhere/a.olm.yaml: no such file or directory\n"
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize(
    ("kind", "hint"),
    [("LinearRL", "did you mean `LinearLR`?"), ("Banana", "`olm kinds` lists them")],
)
def test_an_unknown_kind_is_misuse(kind, hint, capsys):
    assert main(["new", kind]) == MISUSE
    assert capsys.readouterr() == ("", f"olm new: there is no kind `{kind}`: {hint}\n")


def test_without_a_kind_all_are_listed(capsys):
    listed = re.findall(r"\w+", new(capsys))
    assert {kind: listed.count(kind) for kind in KINDS} == dict.fromkeys(KINDS, 1)


ALSO = ["--also", "weight_decay=RampLR", "--also", "lr:head=HoldLR", "--also", "ema=HoldLR"]


@pytest.mark.parametrize("more", [[], ["--all"]], ids=["", "all"])
def test_other_numbers_are_targets_with_the_required_fields_of_their_kinds(more, folder, capsys):
    text = new(capsys, "LinearLR", *ALSO, *more)
    decay, head, ema = olm.loads(text).also
    assert (decay.set, decay.schedule.kind) == ("weight_decay", "RampLR")
    assert (head.set, head.groups, head.scaled_by.kind) == ("lr", ("head",), "HoldLR")
    assert (ema.value, ema.schedule.kind) == ("ema", "HoldLR")
    assert max(map(len, text.splitlines())) <= 100
    new(capsys, "LinearLR", *ALSO, *more, "--out", "spec.olm.json")
    assert olm.load("spec.olm.json") == olm.loads(text)
    assert olm.loads(text).schedule == olm.loads(new(capsys, "LinearLR", *more)).schedule


@every_kind
def test_every_kind_can_schedule_another_number(kind, capsys):
    text = new(capsys, "HoldLR", "--also", f"eps={kind}")
    [target] = olm.loads(text).also
    assert target.schedule == olm.loads(new(capsys, kind)).schedule
    assert olm.loads(new(capsys, "HoldLR", "--also", f"eps={kind}", "--all")).also == (target,)


def test_the_lines_for_param_groups_may_be_uncommented(capsys):
    text = new(capsys, "LinearLR", "--also", "weight_decay=RampLR")
    spec = olm.loads(re.sub(r"^# (?=param_groups|optimizer: )", "", text, flags=re.MULTILINE))
    assert [group.name for group in spec.param_groups] == ["decay", "no_decay"]
    assert dict(spec.optimizer) == {"lr": 3e-4, "weight_decay": 0.04}
    assert "param_groups" not in new(capsys, "LinearLR", "--also", "ema=RampLR")


@pytest.mark.parametrize(
    ("also", "message"),
    [
        (["ema=Hold"], "there is no kind `Hold`: did you mean `HoldLR`?"),
        (["ema=HoldLR", "ema=RampLR"], "--also: also[0] and also[1] both set ema"),
        (["lr=HoldLR"], "--also: `scaled_by` needs `groups`"),
        (["ema"], "must be NUMBER=KIND or NUMBER:GROUP=KIND, such as weight_decay=RampLR"),
    ],
)
def test_a_target_that_cannot_be_is_misuse(also, message, capsys):
    options = [text for one in also for text in ("--also", one)]
    assert main(["new", "LinearLR", *options]) == MISUSE
    out, error = capsys.readouterr()
    assert out == ""
    assert message in error
