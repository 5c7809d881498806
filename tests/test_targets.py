"""Targets: other hyperparameters and values in one document, evaluated without torch."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import olm
from olm.checking.check import check
from olm.spec.digest import digest
from olm.spec.param_groups import full_names, matches
from olm.spec.targets import Target, assign
from olm.text.document import read
from strategies import schedules

HOLD = {"kind": "HoldLR"}
DECAY = {"kind": "LinearLR", "total_steps": 4}


def document(*also, **root):
    return {"kind": "LinearLR", "total_steps": 10, "also": [*also], **root}


def problems(*also, **root):
    with pytest.raises(olm.SpecError) as error:
        olm.parse(document(*also, **root))
    return [str(problem) for problem in error.value.problems]


@pytest.mark.parametrize(
    ("also", "wanted"),
    [
        (
            {"set": "eps", "groups": "last_layers*", "schedule": HOLD},
            "also[0].groups: error[no-group]: no param group is called `last_layers*`; they are "
            "`wd`, `no_wd`, `last_layer` (did you mean `last_layer*`?)",
        ),
        (
            {"set": "betas", "schedule": HOLD},
            "also[0].set: error[not-a-number]: betas has several numbers: set betas[0] or betas[1]",
        ),
        (
            {"set": "nesterov", "schedule": HOLD},
            "also[0].set: error[not-a-number]: nesterov is true or false, and a schedule gives "
            "numbers",
        ),
        (
            {"set": "ns_steps", "schedule": HOLD},
            "also[0].set: error[not-a-number]: ns_steps is a count, which a schedule cannot set",
        ),
        (
            {"set": "initial_lr", "schedule": HOLD},
            "also[0].set: error[not-a-number]: initial_lr is not a hyperparameter",
        ),
        (
            {"set": "lr", "schedule": HOLD},
            "also[0].set: error[target]: `set: lr` needs `groups`: the root schedules the lr of "
            "all the others",
        ),
        (
            {"set": "lr", "groups": "wd", "scaled_by": HOLD, "base": 1.0},
            "also[0].base: error[target]: `scaled_by` has no `base`: it multiplies the number of "
            "the other groups",
        ),
        (
            {"set": "eps", "scaled_by": HOLD},
            "also[0].scaled_by: error[target]: `scaled_by` needs `groups`: it multiplies the "
            "number of the other groups",
        ),
        (
            {"set": "eps", "groups": "wd", "scaled_by": HOLD, "schedule": HOLD},
            "also[0].scaled_by: error[target]: a target has either `schedule` or `scaled_by`, not "
            "both",
        ),
        (
            {"set": "eps", "value": "ema", "schedule": HOLD},
            "also[0].value: error[target]: a target has either `set` or `value`, not both",
        ),
        (
            {"value": "ema", "groups": "wd", "schedule": HOLD},
            "also[0].groups: error[target]: a `value` has no `groups`: it belongs to no optimizer",
        ),
        (
            {"value": "weight_decay", "schedule": HOLD},
            "also[0].value: error[type]: value must not be weight_decay, which the optimizer has "
            "(to schedule it, write `set: weight_decay`)",
        ),
        (
            {"value": "batch_size", "schedule": HOLD},
            "also[0].value: error[type]: value must not be batch_size, which the clock gives",
        ),
        (
            {"set": "eps", "groups": "^layer_.*$", "schedule": HOLD},
            "also[0].groups: error[type]: groups must be a glob such as layer_*, found the regular "
            "expression `^layer_.*$` (write layer_*)",
        ),
        ({"set": "eps", "groups": [], "schedule": HOLD}, None),
        (
            {"set": "eps"},
            "also[0]: error[missing-field]: a target needs the field `schedule` or `scaled_by`",
        ),
        (
            {"schedule": HOLD},
            "also[0]: error[missing-field]: a target needs `set`, a hyperparameter of the param "
            "groups, or `value`",
        ),
        (
            {"set": "eps", "shedule": HOLD},
            "also[0].shedule: error[unknown-field]: a target has no field `shedule` (did you mean "
            "`schedule`?)",
        ),
        (
            {"set": "eps", "schedule": {**HOLD, "also": []}},
            "also[0].schedule.also: error[unknown-field]: HoldLR has no field `also` (only the "
            "root of a document has it)",
        ),
        (
            {"set": "eps", "schedule": {"kind": "HodLR"}},
            "also[0].schedule.kind: error[unknown-kind]: there is no kind `HodLR` (did you mean "
            "`HoldLR`?)",
        ),
        (
            {"set": "eps", "schedule": HOLD, "bases": [1.0, 1.0, 1.0]},
            "also[0].bases: error[target-state]: only the targets of a state have `bases`",
        ),
    ],
)
def test_a_mistake_in_a_target_is_one_error_that_names_the_place(also, wanted):
    found = problems(also, param_groups=["wd", "no_wd", "last_layer"])
    assert len(found) == 1
    assert wanted is None or found == [wanted]


@pytest.mark.parametrize(
    ("also", "wanted"),
    [
        (
            [{"set": "eps", "groups": "w*"}, {"set": "eps", "groups": ["x", "*d"]}],
            "also[1].groups: error[two-targets]: also[0] and also[1] both set the eps of `wd`",
        ),
        (
            [{"set": "eps"}, {"set": "eps"}],
            "also[1].set: error[two-targets]: also[0] and also[1] both set the eps of a group",
        ),
        (
            [{"value": "ema"}, {"value": "ema"}],
            "also[1].value: error[two-targets]: also[0] and also[1] both set ema",
        ),
    ],
)
def test_two_targets_of_one_number_are_an_error(also, wanted):
    also = [{**target, "schedule": HOLD} for target in also]
    assert problems(*also, param_groups=["wd", "no_wd", "x"]) == [wanted]


@pytest.mark.parametrize(
    ("groups", "wanted"),
    [
        (["a", "a"], "param_groups[1]: error[rule]: `a` is the name of two param groups"),
        (["a", {"lr": 1}], "param_groups[1]: error[missing-field]: a param group needs the field"),
        (["a", {"name": "b", "lr": -1}], "param_groups[1].lr: error[range]: lr must be at least 0"),
        (["#1"], "param_groups[0]: error[rule]: param_groups[0] must not begin with #, found"),
        ("a", "param_groups: error[type]: param_groups must be a list of names, found the string"),
        ([], "param_groups: error[range]: param_groups must have at least 1 item, found none"),
    ],
)
def test_param_groups_are_names_and_numbers(groups, wanted):
    (found,) = problems({"value": "ema", "schedule": HOLD}, param_groups=groups)
    assert found.startswith(wanted)


@pytest.mark.parametrize(
    ("optimizer", "wanted"),
    [
        ({"lr": "x"}, "optimizer.lr: error[type]: lr must be a finite number, found the string"),
        ({"nesterov": True}, "optimizer.nesterov: error[not-a-number]: nesterov is true or false"),
        ({"betas": [0.9, -1]}, "optimizer.betas: error[range]: betas must be at least 0, found -1"),
        ({}, "optimizer: error[type]: optimizer must be a mapping of hyperparameters such as"),
    ],
)
def test_the_numbers_of_the_optimizer_are_numbers(optimizer, wanted):
    (found,) = problems({"value": "ema", "schedule": HOLD}, optimizer=optimizer)
    assert found.startswith(wanted)


def test_a_document_is_written_as_it_was_read():
    also = [
        {"set": "weight_decay", "groups": ["a*", "b"], "schedule": DECAY, "base": 0.1},
        {"set": "lr", "groups": "b", "scaled_by": DECAY, "metric": "kl"},
    ]
    given = document(*also, param_groups=["a1", {"name": "b", "lr": 0.5}], optimizer={"lr": 0.1})
    spec = olm.parse(given)
    again = olm.parse(spec.model_dump())
    assert again == spec
    assert again.model_dump() == spec.model_dump()
    written = spec.model_dump()
    assert written["param_groups"] == given["param_groups"]
    assert written["optimizer"] == given["optimizer"]
    assert [target["groups"] for target in written["also"]] == [["a*", "b"], "b"]


def test_the_hyperparameters_of_the_optimizer_may_be_lists():
    spec = olm.parse(
        document(also := {"value": "ema", "schedule": HOLD}, optimizer={"betas": [0.9, 0.95]})
    )
    assert dict(spec.optimizer) == {"betas[0]": 0.9, "betas[1]": 0.95}
    assert olm.parse(document(also, optimizer=dict(spec.optimizer))) == spec


@pytest.mark.parametrize(
    ("pattern", "name", "matched"),
    [
        ("layer_*", "layer_01/wd", True),
        ("wd", "layer_01/wd", True),
        ("wd", "layer_01/no_wd", False),
        ("layer_*/wd", "layer_01/wd", True),
        ("layer_*/wd", "layer_01/x/wd", False),
        ("*", "layer_01/wd", True),
        ("muon", "muon/0", True),
        ("a[0]", "a[0]", True),
        ("a[0]", "a0", False),
        ("a?", "ab", True),
        ("A", "a", False),
    ],
)
def test_globs(pattern, name, matched):
    assert matches(pattern, name) == matched


def test_groups_without_names_have_those_of_the_document_if_there_are_equally_many():
    assert full_names([None, None], ["a", "b"]) == ["a", "b"]
    assert full_names([None], ["a", "b"]) == ["#0"]
    assert full_names([None, "x"], ["a", "b"]) == ["#0", "x"]


def test_a_target_without_groups_sets_what_no_other_names():
    also = [
        Target(set="eps", schedule=HOLD),
        Target(set="eps", groups="head", schedule=HOLD),
        Target(set="lr", groups="head", schedule=HOLD),
    ]
    found = assign(also, ["body", "head"])
    assert found.by_set == {"eps": [0, 1], "lr": [None, 2]}
    assert [found.groups_of(index) for index in range(3)] == [[0], [1], [1]]


def test_a_glob_may_name_a_group_that_is_added_later():
    also = [Target(set="eps", groups="head", schedule=HOLD)]
    assert assign(also, ["body"]).problems
    assert not assign(also, ["body"], late=["body", "head"]).problems


def test_numbers_by_hand():
    spec = olm.parse(
        document(
            {"set": "weight_decay", "schedule": DECAY},
            {"set": "lr", "groups": "head", "scaled_by": {"kind": "HoldLR", "factor": 0.1}},
            {"set": "momentum", "base": 1.0, "schedule": {"kind": "HoldLR", "factor": 0.95}},
            {"value": "ema", "schedule": {"kind": "HoldLR", "factor": 0.999}},
            {"set": "eps", "groups": "head", "scaled_by": {"kind": "HoldLR", "factor": 3.0}},
        )
    )
    assert spec.of("weight_decay", [0, 1, 4], base=0.04).tolist() == [0.04, 0.03, 0.0]
    assert spec.of("lr", 5, base=0.5) == spec.lr(5, 0.5) == 0.25
    assert spec.of("lr", 5, base=0.5, group="head") == 0.025
    assert spec.of("momentum", 3, base=0.5) == 0.95
    assert spec.value("ema", [0, 9]).tolist() == [0.999, 0.999]
    assert spec.of("eps", 3, base=1e-8, group="head") == pytest.approx(3e-8)
    with pytest.raises(olm.OlmError, match="does not schedule the betas"):
        spec.of("betas[0]", 3, base=0.9)
    with pytest.raises(olm.OlmError, match="no value the string 'temp': its values are ema"):
        spec.value("temp", 3)


@given(schedules(depth=2), st.integers(0, 10**5), st.floats(1e-3, 1.0))
def test_any_schedule_gives_a_target_what_it_gives_the_root(schedule, step, base):
    spec = olm.Spec(
        schedule=olm.parse(HOLD).schedule, also=[Target(set="weight_decay", schedule=schedule)]
    )
    try:
        wanted = schedule.lr(step, base)
    except olm.RateError:
        return
    assert spec.of("weight_decay", step, base=base) == wanted
    assert olm.parse(spec.model_dump()) == spec


@given(schedules(depth=2), schedules(depth=2), st.integers(0, 10**4))
def test_scaled_by_multiplies_the_number_of_the_other_groups_at_each_step(root, scale, step):
    also = [Target(set="lr", groups="head", scaled_by=scale)]
    spec = olm.Spec(schedule=root, also=also)
    try:
        wanted = scale.lr(step, root.lr(step, 0.5))
    except olm.RateError:
        return
    assert spec.of("lr", step, base=0.5, group="head") == pytest.approx(wanted, rel=1e-12)


def test_durations_of_targets_are_counted_by_the_clock_and_told_by_path():
    also = [
        {"set": "eps", "schedule": {"kind": "LinearLR", "total_steps": "100%"}},
        {"value": "ema", "schedule": {"kind": "WarmupLR", "warmup_steps": "3ep"}},
    ]
    spec = olm.parse(document(*also, clock={"total_steps": 200, "steps_per_epoch": 7}))
    counted = spec.resolve()
    assert [target.curve for target in counted.also] == [
        olm.parse({"kind": "LinearLR", "total_steps": 200}).schedule,
        olm.parse({"kind": "WarmupLR", "warmup_steps": 21}).schedule,
    ]
    assert counted.durations == (
        ("also[0].schedule.total_steps", "100%"),
        ("also[1].schedule.warmup_steps", "3ep"),
    )
    assert counted.written.also == spec.also
    assert "also[1].schedule.warmup_steps: 3ep is 21 steps" in str(spec.plan())
    with pytest.raises(olm.SpecError, match=r"also\[1\]\.schedule\.warmup_steps: error\[clock\]"):
        olm.parse(document(*also)).resolve(olm.Clock(total_steps=100))


def test_the_digest_covers_the_targets_in_any_order_and_no_others():
    first, second = (
        Target(set="eps", groups=["b", "a"], schedule=HOLD),
        Target(value="ema", schedule=DECAY),
    )
    root = olm.parse(DECAY).schedule
    own = digest(root, [first, second])
    assert own == digest(root, [second, first])
    assert own == digest(root, [second, Target(set="eps", groups=["a", "b"], schedule=HOLD)])
    assert own == digest(root, [first.with_bases([1.0]), second])
    others = (
        [first],
        [first, Target(value="ema", schedule=HOLD)],
        [Target(set="eps", groups="a", schedule=HOLD), second],
        [Target(set="eps", groups=["a", "b"], scaled_by=HOLD), second],
        [Target(set="eps", groups=["a", "b"], schedule=HOLD, base=1.0), second],
        [],
    )
    assert len({own, *(digest(root, also) for also in others)}) == 1 + len(others)


def test_a_document_without_targets_has_the_digest_that_it_always_had():
    assert digest(olm.parse({"kind": "LinearLR", "total_steps": 10}).schedule, ()).startswith(
        "sha256:fcc3d00f"
    )


def test_a_value_that_cannot_be_used_is_an_error():
    rising = {"kind": "RampLR", "total_steps": 1, "end_factor": 2.0, "past": "extrapolate"}
    spec = olm.parse(document({"value": "x", "schedule": {**rising, "end_factor": 0.0}}))
    with pytest.raises(olm.RateError):
        spec.value("x", 5)
    assert math.isclose(spec.value("x", 0), 1.0)


def test_bases_in_a_spec_are_an_error_with_and_without_the_names_of_the_groups():
    wanted = "also[0].bases: error[target-state]: only the targets of a state have `bases`"
    eps = {"set": "eps", "schedule": HOLD, "bases": [1.0]}
    assert problems(eps) == problems(eps, param_groups=["a"]) == [wanted]


@pytest.mark.parametrize(
    "key", ["nesterov[0]", "params[0]", "initial_lr[0]", "betas[٣]", "eps\n", "betas[1000]"]
)
def test_what_the_schema_refuses_to_set_the_models_refuse_too(key):
    assert len(problems({"set": key, "schedule": HOLD})) == 1


@pytest.mark.parametrize(
    ("target", "more", "is_refused"),
    [
        ("base: 1.0, schedule: {kind: RampLR, total_steps: 9, end_factor: 1.0}", "", True),
        ("schedule: {kind: HoldLR, fixed_lr: 1.0}", "", True),
        ("schedule: {kind: HoldLR, factor: 1.2}", "", False),
        ("schedule: {kind: HoldLR, factor: 1.2}", "optimizer: {betas: [0.9, 0.99]}", True),
        ("schedule: {kind: HoldLR, factor: 1.1}", "optimizer: {betas: [0.9, 0.99]}", False),
        (
            "base: 1.0, schedule: {kind: RampLR, total_steps: 99, start_factor: 0.9, "
            "end_factor: 1.1}",
            "clock: {total_steps: 48}",
            False,
        ),
        (
            "base: 1.0, schedule: {kind: RampLR, total_steps: 99, start_factor: 0.9, "
            "end_factor: 1.1}",
            "clock: {total_steps: 50}",
            True,
        ),
    ],
)
def test_a_beta_of_1_in_the_run_is_an_error_where_the_own_number_is_known(target, more, is_refused):
    text = f"kind: HoldLR\nalso: [{{set: 'betas[0]', {target}}}]\n{more}\n"
    problems = [each for each in check(read(text, "a.yaml")).problems if each.severity == "error"]
    assert [problem.code for problem in problems] == ["range"] * is_refused
    assert all(problem.path == ("also", 0, "schedule") for problem in problems)
