"""The keys of the frameworks that are installed are those that are recorded and tested.

A new version of a framework fails here, and then in `tests/test_imported_keys.py` if one of its
keys has no place: `python3 tools/framework_keys FORMAT` records them again.
"""

import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from imported_keys import Imported, is_known, places, without_defaults

TOOLS = Path(__file__).resolve().parent.parent.parent / "tools"
FORMATS = sorted(path.stem for path in (TOOLS / "framework_keys").glob("[!_]*.py"))
sys.path.append(str(TOOLS))
read_keys = import_module("framework_keys._reading").read_keys


def is_installed(place):
    """Whether there is the package of a place; a repository is none."""
    try:
        return "/" not in place.origin.name and bool(distribution(place.origin.name))
    except PackageNotFoundError:
        return False


INSTALLED = [
    (name, number, place)
    for name in FORMATS
    for number, place in enumerate(import_module(f"framework_keys.{name}").PLACES)
    if is_installed(place) and str(place.origin) != "torchtitan 0.2.2"
]
EACH = pytest.mark.parametrize(
    ("form", "number", "place"),
    INSTALLED,
    ids=[f"{each[0]}-{each[1]}" for each in INSTALLED],
)


def installed_keys(place):
    """The keys of the code that is installed."""
    found = distribution(place.origin.name)
    keys = read_keys(place.code, lambda path: Path(str(found.locate_file(path))).read_text())
    return keys.without(frozenset(place.without.split()))


def test_the_frameworks_of_this_environment_are_compared():
    assert {form for form, _, _ in INSTALLED} >= {"transformers", "deepspeed", "hydra", "lightning"}
    assert {form for form, _, _ in INSTALLED} >= {"mmengine", "torchtitan"}


@EACH
def test_the_recorded_keys_are_those_of_the_installed_framework(form, number, place):
    (_, recorded) = [each for each in places() if each[0] == form][number]
    keys = installed_keys(place)
    assert keys.defaults == recorded["defaults"]
    assert [[*keys.others], [*keys.flags]] == [recorded["others"], recorded["flags"]]


@EACH
def test_no_key_of_the_installed_framework_is_unknown(form, number, place, tmp_path):
    (_, recorded) = [each for each in places() if each[0] == form][number]
    keys = installed_keys(place)
    now = {**recorded, "defaults": {}, "others": [*keys.defaults, *keys.others]}
    imported = Imported(form, now, tmp_path)
    assert imported.wrong(without_defaults(now), is_known) == []
