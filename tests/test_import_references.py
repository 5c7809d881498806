"""References inside a configuration are resolved as OmegaConf resolves them, for every format."""

import time

import pytest

import olm
from olm.foreign.configs._interpolation import LONGEST, MOST_VALUES, resolved
from olm.problem import SpecError

CASES = {
    "a key": ({"a": 3, "b": "${a}"}, "b", 3),
    "a nested key": ({"run": {"steps": 9}, "b": "${run.steps}"}, "b", 9),
    "an item of a list": ({"a": [4, 5], "b": "${a[1]}"}, "b", 5),
    "an item by a dot": ({"a": [4, 5], "b": "${a.0}"}, "b", 4),
    "a chain": ({"a": 3, "b": "${a}", "c": "${b}"}, "c", 3),
    "the mapping around the key": ({"a": {"x": 1, "y": "${.x}"}}, "a.y", 1),
    "the mapping around that": ({"x": 2, "a": {"x": 1, "y": "${..x}"}}, "a.y", 2),
    "two mappings around": ({"x": 2, "a": {"b": {"y": "${...x}"}}}, "a.b.y", 2),
    "through a relative reference": ({"a": {"x": 1, "y": "${.x}"}, "z": "${a.y}"}, "z", 1),
    "inside a string": ({"a": 3, "b": "v-${a}-${a}"}, "b", "v-3-3"),
    "inside another reference": ({"a": "x", "m": {"x": 7}, "b": "${m.${a}}"}, "b", 7),
    "a mapping": ({"a": {"x": 1}, "b": "${a}"}, "b", {"x": 1}),
    "a mapping with references": ({"n": 4, "a": {"x": "${n}"}, "b": "${a}"}, "b", {"x": 4}),
    "blanks": ({"a": 3, "b": "${ a }"}, "b", 3),
    "a missing key": ({"b": "${a}"}, "b", "${a}"),
    "a variable": ({"b": "${oc.env:HOME}"}, "b", "${oc.env:HOME}"),
    "a circle": ({"a": "${b}", "b": "${a}"}, "a", "${b}"),
    "itself": ({"a": {"b": "${a}"}}, "a.b", "${a}"),
    "no path": ({"a": "${b..c}", "b": 1}, "a", "${b..c}"),
    "beyond the root": ({"a": "${....b}", "b": 1}, "a", "${....b}"),
}


@pytest.mark.parametrize(("values", "path", "expected"), CASES.values(), ids=CASES)
def test_a_reference_is_what_the_file_has(values, path, expected):
    value = resolved(values)
    for key in path.split("."):
        value = value[key]
    assert value == expected


def test_references_that_multiply_end_at_once():
    texts = {f"a{n}": f"${{a{n + 1}}}" * 9 for n in range(30)} | {"a30": "x" * 9}
    mappings = {f"a{n}": dict.fromkeys("uvwxyz", f"${{a{n + 1}}}") for n in range(30)}
    start = time.perf_counter()
    assert all(len(text) <= LONGEST for text in resolved(texts).values())
    assert _count(resolved(mappings | {"a30": 1})) < 10 * MOST_VALUES
    assert time.perf_counter() - start < 2


def _count(value):
    return 1 + sum(map(_count, value.values())) if isinstance(value, dict) else 1


FORMATS = {
    "transformers": "b: 3.0e-4\nlr_scheduler_type: linear\nmax_steps: 100\nlearning_rate: ${b}\n",
    "axolotl": "base_model: a\nmicro_batch_size: 1\nmax_steps: 9\nb: 3.0e-4\nlearning_rate: ${b}\n",
    "deepspeed": "b: 3.0e-4\nscheduler:\n  type: WarmupLR\n  params:\n    warmup_max_lr: ${b}\n",
    "nemo": (
        "trainer: {max_steps: 100}\nb: 3.0e-4\nmodel:\n  optim:\n    lr: ${b}\n"
        "    sched: {name: CosineAnnealing, warmup_steps: 1}\n"
    ),
    "composer": (
        "max_duration: 100ba\nb: 3.0e-4\noptimizer: {name: adamw, lr: '${b}'}\n"
        "scheduler: {name: constant_with_warmup, t_warmup: 10ba}\n"
    ),
    "detectron2": "b: 3.0e-4\nSOLVER: {BASE_LR: '${b}', MAX_ITER: 40000}\n",
}


@pytest.mark.parametrize(("name", "text"), FORMATS.items())
def test_references_are_resolved_in_every_format(name, text, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    made = olm.import_config(file)
    assert (made.format, dict(made.spec.optimizer)["lr"]) == (name, 3e-4)


REFUSED = {
    "a variable": ("${oc.env:LR}", "unset-variable"),
    "a variable with a default": ("${oc.env:LR,3e-4}", "unset-variable"),
    "a function": ("${eval:'3 * 4'}", "needs-code"),
    "a missing key": ("${base}", "unset-variable"),
    "a circle": ("${learning_rate}", "unset-variable"),
    "a command": ("$(rm -rf /)", "type"),
}


@pytest.mark.parametrize(("value", "code"), REFUSED.values(), ids=REFUSED)
def test_a_value_that_the_file_does_not_have_is_refused_at_its_key(value, code, tmp_path):
    file = tmp_path / "args.yaml"
    file.write_text(f'lr_scheduler_type: linear\nmax_steps: 100\nlearning_rate: "{value}"\n')
    with pytest.raises(SpecError) as error:
        olm.import_config(file)
    [problem] = error.value.problems
    assert (problem.code, problem.place.line) == (code, 3)


def test_a_reference_in_a_key_that_changes_no_rate_is_no_obstacle(tmp_path):
    file = tmp_path / "args.yaml"
    file.write_text('lr_scheduler_type: linear\nmax_steps: 9\noutput_dir: "${oc.env:HOME}/run"\n')
    assert olm.import_config(file).spec.schedule.kind == "WarmupDecayLR"


def test_a_name_of_a_schedule_that_is_a_reference_is_no_unknown_schedule(tmp_path):
    file = tmp_path / "args.yaml"
    file.write_text('lr_scheduler_type: "${oc.env:SCHEDULE}"\nmax_steps: 9\n')
    with pytest.raises(SpecError, match="unset-variable"):
        olm.import_config(file)
