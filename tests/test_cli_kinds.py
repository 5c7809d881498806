"""``olm kinds``: the list, and one kind with all that it has."""

import re

import pytest
import yaml

from olm.cli import FINE, MISUSE, main
from olm.fields.reproduced import reproduced
from olm.kinds import GROUPS, KINDS
from olm.spec.load import loads


def test_kinds_lists_every_kind_with_what_it_needs(capsys):
    assert main(["kinds"]) == FINE
    out = capsys.readouterr().out
    for kind, model in KINDS.items():
        needed = [name for name, field in model.model_fields.items() if field.is_required()]
        needs = ", ".join(needed) or "no fields"
        assert re.search(rf"^{kind}\n(  .+\n)+  requires {needs}$", out, re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_described_with_all_that_it_has(kind, capsys):
    assert main(["kinds", kind]) == FINE
    paragraphs = capsys.readouterr().out.split("\n\n")
    assert paragraphs[0] == kind
    sections = {text.partition("\n")[0]: text.partition("\n")[2] for text in paragraphs[1:]}
    model = KINDS[kind]
    fields = [name for name in model.model_fields if name != "kind"]
    assert re.findall(r"^  (\w+): ", sections["fields"], re.MULTILINE) == fields
    assert ("rules" in sections) == bool(model.rules)
    assert "return " in sections["formula"]
    assert loads(sections["example"]).schedule == model(**model.examples[0])
    assert yaml.safe_load(sections["example"])["kind"] == kind


def test_kinds_are_grouped_by_what_people_look_for(capsys):
    main(["kinds"])
    groups = capsys.readouterr().out.split("\n\n")
    assert [group.splitlines()[0].lower() for group in groups] == [*GROUPS]
    for group in groups:
        first, *rest = group.splitlines()
        kinds = [line for line in rest if not line.startswith(" ")]
        assert kinds == [k for k, model in KINDS.items() if model.group == first.lower()] != []


def test_a_kind_tells_whose_schedules_it_reproduces(capsys):
    main(["kinds", "WarmupStableDecayLR"])
    page = capsys.readouterr().out
    assert re.search(r"^  transformers: .*get_wsd_schedule", page, re.MULTILINE)
    assert re.search(r"^  timm: .*WSDLRScheduler", page, re.MULTILINE)


def test_all_kinds_but_these_reproduce_a_schedule_of_a_peer_in_tests():
    """fairseq, where tri-stage is from, does not install; the plateau has a test of its own."""
    assert {*KINDS} - {*reproduced()} == {
        "ContinueLR",
        "MinimumLR",
        "NoamLR",
        "ReduceLROnPlateau",
        "TriStageLR",
    }


def test_an_unknown_kind_is_misuse(capsys):
    assert main(["kinds", "linearlr"]) == MISUSE
    said = "olm kinds: there is no kind `linearlr`: did you mean `LinearLR`?\n"
    assert capsys.readouterr() == ("", said)
