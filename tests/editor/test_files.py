"""The specs of this repository, each validated by the schema in its first line."""

import pytest

from .servers import ROOT, YAML

SPECS = sorted((ROOT / "specs").rglob("*.olm.yaml"))


def complaints_of_all(editor, change):
    """The messages for each spec after a change, under a name that no settings cover."""
    texts = {
        str(path.with_name(f"{path.name}.{change.__name__}.yaml").relative_to(ROOT)): path
        for path in SPECS
    }
    found = editor.complaints_of_all({f: change(path.read_text()) for f, path in texts.items()})
    return {texts[file].name: [one.message for one in all_] for file, all_ in found.items()}


def as_it_is(text):
    return text


def with_a_mistake(text):
    return f"{text}warmup: 1\n"


@pytest.mark.parametrize("editor", YAML, indirect=True)
def test_the_specs_of_this_repository_are_valid(editor, record_property):
    record_property("editor", editor.title)
    record_property("probe", f"nothing, in each of the {len(SPECS)} files of specs/")
    record_property("worse", "")
    assert len(SPECS) > 60
    assert complaints_of_all(editor, as_it_is) == {path.name: [] for path in SPECS}


@pytest.mark.parametrize("editor", YAML, indirect=True)
def test_an_error_in_any_of_them_is_reported(editor):
    """Otherwise, the test above proves nothing."""
    said = ["Property warmup is not allowed."]
    assert complaints_of_all(editor, with_a_mistake) == {path.name: said for path in SPECS}
