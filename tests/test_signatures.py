"""Signatures of models: the fields with plain types, for people, editors and completion."""

import inspect
from importlib.util import find_spec

import pytest

import olm
from olm.kinds import KINDS
from olm.kinds.linear import Linear
from olm.kinds.sequence import Sequential


@pytest.mark.parametrize("kind", [*KINDS])
def test_the_signature_of_a_model_has_its_fields_and_their_defaults(kind):
    model = KINDS[kind]
    arguments = inspect.signature(model).parameters
    assert [*arguments] == [name for name in model.model_fields if name != "kind"]
    for name, argument in arguments.items():
        field = model.model_fields[name]
        assert (argument.default is inspect.Parameter.empty) == field.is_required()
        assert field.is_required() or argument.default == field.default
        assert "Annotated" not in str(argument)


def test_the_signature_stays_when_pydantic_builds_the_model_again():
    before = str(inspect.signature(Linear))
    fields = "total_steps: int | str, end_lr: float = 0.0, start_factor: float = 1.0"
    assert before == f"(*, {fields}) -> None"
    Linear(total_steps=3)
    Linear.model_rebuild(force=True)
    assert str(inspect.signature(Linear)) == before


def test_the_signatures_of_a_clock_and_a_spec_have_plain_types():
    clock = str(inspect.signature(olm.Clock))
    assert clock.startswith("(*, total_steps: int | str | None = None, rounding: ")
    assert "steps_per_epoch: float | None = None" in clock
    spec = inspect.signature(olm.Spec).parameters
    assert [*spec] == [*olm.Spec.model_fields]
    for text in (clock, *map(str, spec.values())):
        assert "Annotated" not in text
        assert "object at" not in text


def test_a_list_may_be_given_where_a_tuple_is_held():
    milestones = inspect.signature(Sequential).parameters["milestones"]
    assert str(milestones) == "milestones: collections.abc.Sequence[int | str]"


@pytest.mark.skipif(not find_spec("IPython"), reason="IPython is not installed")
@pytest.mark.parametrize(
    ("start", "names"),
    [
        ("olm.Clock(", {"total_steps=", "steps_per_epoch="}),
        ("olm.kinds.LinearLR(", {"total_steps=", "end_lr="}),
        ("olm.Spec(", {"schedule=", "also="}),
    ],
)
def test_ipython_completes_the_fields(start, names):
    from IPython.core.completer import IPCompleter, provisionalcompleter

    completer = IPCompleter(namespace={"olm": olm}, global_namespace={})
    completer.use_jedi = False
    with provisionalcompleter():
        assert names <= {found.text for found in completer.completions(start, len(start))}
