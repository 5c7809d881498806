"""What the package asks for, and what the development environment pins."""

import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]

REQUIREMENTS = [
    *PYPROJECT["build-system"]["requires"],
    *PROJECT["dependencies"],
    *chain.from_iterable(PROJECT["optional-dependencies"].values()),
    *PYPROJECT["dependency-groups"]["dev"],
]


def pins() -> dict[str, str]:
    """The exact version of every package in the constraints, by its normalised name."""
    lines = (ROOT / "tools" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("text", REQUIREMENTS)
def test_every_requirement_is_pinned_to_a_version_that_it_allows(text):
    requirement = Requirement(text)
    assert pins()[canonicalize_name(requirement.name)] in requirement.specifier


def test_torch_is_asked_for_by_its_extra_alone():
    assert not [text for text in PROJECT["dependencies"] if Requirement(text).name == "torch"]
    assert [Requirement(text).name for text in PROJECT["optional-dependencies"]["torch"]] == [
        "torch"
    ]


def test_pins_hold_wherever_torch_comes_from():
    assert [version for version in pins().values() if "+" in version] == []
