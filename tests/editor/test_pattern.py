"""The pattern of durations in JavaScript: in ajv, which is part of the YAML servers."""

import json
import subprocess
from pathlib import Path

import pytest

from ..durations import MAPPING, TYPES, refused_of, schema_of_a_mapping
from .servers import MODULES, NODE


@pytest.mark.parametrize("name", TYPES)
def test_ajv_accepts_the_durations_that_the_models_accept(name):
    question = {"schema": schema_of_a_mapping(name), "document": MAPPING}
    done = subprocess.run(
        [str(NODE), str(Path(__file__).with_name("ajv.mjs")), str(MODULES)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [f"/{key}" for key in refused_of(name)]
