"""``olm kinds``: the list, and one kind with all that it has."""

import ast
import inspect
import re
import subprocess
import sys

import pytest
import yaml

from olm.cli import FINE, MISUSE, main
from olm.fields.reproduced import reproduced
from olm.kinds import GROUPS, KINDS
from olm.schedule.schedule import Schedule
from olm.schema import documentation
from olm.spec.load import loads
from olm.spec.spec import Spec


def test_kinds_lists_every_kind_with_what_it_needs(capsys):
    assert main(["kinds"]) == FINE
    out = capsys.readouterr().out
    for kind, model in KINDS.items():
        needed = [name for name, field in model.model_fields.items() if field.is_required()]
        needs = ", ".join(needed) or "no fields"
        assert re.search(rf"^{kind}\n(  .+\n)+  requires {needs}$", out, re.MULTILINE)


def run(program):
    """Run a program in a new process, which must end well and print no error."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_list_builds_no_model_and_reads_no_file_of_a_kind():
    run(
        "import ast\n"
        "del ast.parse\n"
        "from olm.cli import main\n"
        "from olm.kinds import KINDS\n"
        "status = main(['kinds'])\n"
        "assert not [kind for kind, model in KINDS.items() if model.__pydantic_complete__]"
    )


def test_the_schemas_of_all_kinds_parse_each_file_once():
    run(
        "import ast, sys\n"
        "from collections import Counter\n"
        "parse, parsed = ast.parse, Counter()\n"
        "ast.parse = lambda text: [parsed.update([text]), parse(text)][1]\n"
        "from olm.cli import main\n"
        "main(['schema'])\n"
        "assert len(parsed) > 20, len(parsed)\n"
        "assert {*parsed.values()} == {1}, parsed.values()"
    )


@pytest.mark.parametrize("model", [*KINDS.values(), Schedule, Spec], ids=lambda one: one.__name__)
def test_the_statements_of_a_class_are_those_that_inspect_finds(model):
    (tree,) = ast.parse(inspect.getsource(model)).body
    assert [*map(ast.dump, documentation._body(model))] == [*map(ast.dump, tree.body)]


def test_a_class_in_a_function_has_statements_too():
    class Inside(Schedule):
        count: int
        """How many."""

    assert documentation.field_docs(Inside)["count"] == "How many."


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
