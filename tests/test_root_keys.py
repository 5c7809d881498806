"""The keys of a document's root: one field each, from which all else follows."""

import subprocess
import sys
from typing import ClassVar, Literal, get_args

import pytest
from pydantic import BaseModel

from olm.fields.imported import ImportedType
from olm.kinds import KINDS
from olm.schedule import schedule as schedules
from olm.schedule.schedule import Schedule, reserve
from olm.schema.documentation import field_docs
from olm.schema.json_schema import schedules_schema
from olm.spec import root_keys
from olm.spec.root_keys import KEYS, ROOT_KEYS, STATE_KEYS, Root
from olm.spec.spec import Spec, parse

LAZY = {name: Root.model_fields[name].annotation for name in ("expect", "clock", "durations")}


def test_every_key_is_a_field_with_a_sentence_and_has_a_schema():
    assert {*KEYS} == {*Spec.model_fields} - {"schedule"}
    assert {*KEYS} <= {*field_docs(Spec)}
    properties = schedules_schema(KINDS)["properties"]
    assert [*properties] == ["kind", *ROOT_KEYS]
    for name, key in KEYS.items():
        assert properties[name].get("doNotSuggest", False) == (key.where == "state")


def test_the_position_is_what_makes_a_state():
    assert STATE_KEYS == ("last_epoch", "base_lrs", "digest")
    assert all(KEYS[name].where == "state" for name in STATE_KEYS)


@pytest.mark.parametrize("name", LAZY)
def test_a_type_that_is_imported_late_is_the_one_that_its_field_names(name):
    late = LAZY[name]
    assert isinstance(late, ImportedType)
    assert late is getattr(root_keys, late.name)
    loaded = late.load()
    if isinstance(loaded, type) and issubclass(loaded, BaseModel):
        assert loaded.__name__ == late.name
    else:
        assert get_args(loaded)


def test_modules_of_keys_that_a_document_does_not_have_are_not_imported():
    code = (
        "import sys; from olm.spec.spec import parse;"
        "parse({'kind': 'LinearLR', 'total_steps': 10}); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {*done.stdout.split()}
    assert not {late.module for late in LAZY.values()} & loaded
    assert "olm.spec.digest" not in loaded


@pytest.mark.parametrize("name", KEYS)
def test_no_key_may_be_null(name):
    with pytest.raises(Exception, match=rf"{name}: error\[type\]") as raised:
        parse({"kind": "LinearLR", "total_steps": 10, name: None})
    assert all(problem.code in ("type", "half-state") for problem in raised.value.problems)


@pytest.mark.parametrize("name", [name for name in KEYS if not hasattr(Schedule, name)])
def test_no_kind_has_a_field_of_the_name_of_a_key(name):
    space = {"__annotations__": {"kind": Literal["Rooted"], name: int}, "kind": "Rooted", name: 1}
    with pytest.raises(TypeError, match=f"Rooted has a field `{name}`, which is a key of a docu"):
        type("Rooted", (Schedule,), {**space, "__module__": __name__})
    assert "Rooted" not in KINDS


def test_a_name_is_reserved_among_the_kinds_that_are_defined_already(monkeypatch):
    monkeypatch.setattr(schedules, "RESERVED", {})

    class Taken(Schedule):
        kind: Literal["Taken"] = "Taken"
        later: int = 1
        examples: ClassVar = [{}]

    try:
        with pytest.raises(TypeError, match="Taken has a field `later`, which is a key of a docu"):
            reserve(["later"])
    finally:
        del KINDS["Taken"]
