"""Specs, schedules and kinds as fields of a program's own pydantic models."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json
import olm
from pydantic import BaseModel, ValidationError

class Config(BaseModel):
    first: {type}
    others: list[{type}]

wrong = {{"kind": "WarmupCosineScheduler", "warmup_steps": 10, "total_steps": 5, "min_lr": -1.0}}
right = {{"kind": "WarmupCosineScheduler", "warmup_steps": 1, "total_steps": 5, "min_lr": 0.0}}
try:
    Config(first=wrong, others=[wrong])
except ValidationError as error:
    problems = [(one["loc"], one["type"]) for one in error.errors()]
config = Config(first=right, others=[right])
assert Config(**config.model_dump()) == Config.model_validate_json(config.model_dump_json())
print(json.dumps([problems, config.model_dump(), right]))
"""


@pytest.mark.parametrize(
    ("type_", "inside"),
    [
        ("olm.Spec", ["schedule"]),
        ("olm.Schedule", []),
        ("olm.kinds.WarmupCosineScheduler", []),
    ],
)
def test_a_model_of_another_program_finds_every_problem_once_and_dumps_documents(type_, inside):
    # A process of its own: what pydantic has built before decides how it nests a model.
    command = [sys.executable, "-c", PROGRAM.format(type=type_)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.stderr
    problems, dumped, right = json.loads(done.stdout)
    assert problems == [
        [[*field, *inside, name], code]
        for field in (["first"], ["others", 0])
        for name, code in [("min_lr", "range"), ("warmup_steps", "rule")]
    ]
    assert dumped == {"first": right, "others": [right]}
