"""A batch that grows while schedulers step, and one that changes where a run resumes."""

import json

import pytest
import torch

import olm

PLAN = {
    "total_steps": "3000sp",
    "batch_stages": [
        {"from": 0, "samples": 10},
        {"from": "100sp", "samples": 20},
        {"from": "500sp", "samples": 50},
    ],
}
"""10 steps of 10 samples, 20 of 20, and 50 of 50: 80 steps."""

ALONG = {"kind": "TimeLR", "axis": "samples",
         "scheduler": {"kind": "CosineAnnealingLR", "T_max": "100%"}}  # fmt: skip


def optimizer(lr=0.5):
    return torch.optim.SGD([torch.zeros(1)], lr=lr)


def stepped(scheduler, steps):
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
    return scheduler


def refusal(build):
    with pytest.raises(olm.StateError) as error:
        build()
    return str(error.value)


def test_a_scheduler_gives_the_batch_of_the_step_that_trains_next():
    scheduler = olm.build({**ALONG, "clock": PLAN}, optimizer())
    batches = [stepped(scheduler, 0 if step == 0 else 1).values() for step in range(40)]
    clock = olm.Clock(**PLAN)
    assert batches == [{"batch_size": clock.batch_at(step)} for step in range(40)]
    assert scheduler.settings()["batch_size"] == 50
    assert olm.build(ALONG, optimizer(), clock=PLAN).values() == {"batch_size": 10}
    constant = {"total_steps": 80, "samples_per_step": 50}
    assert olm.build(ALONG, optimizer(), clock=constant).values() == {}


def test_a_schedule_in_steps_keeps_the_plan_of_its_batch_as_well():
    scheduler = olm.build({"kind": "LinearLR", "total_steps": 80}, optimizer(), clock=PLAN)
    state = stepped(scheduler, 15).state_dict()
    assert state["clock"] == PLAN
    assert olm.build(state, optimizer()).values() == {"batch_size": 20}
    lengths = [{"from": 0, "tokens": 128}, {"from": 9, "tokens": 256}]
    clock = {"tokens_per_sample": lengths, "samples_per_step": 4}
    scheduler = olm.build({"kind": "HoldLR"}, optimizer(), clock=clock)
    assert stepped(scheduler, 9).values() == {"batch_size": 4, "tokens_per_sample": 256}


@pytest.mark.parametrize("step", [0, 9, 10, 29, 30, 31, 79, 80, 95])
def test_a_run_whose_batch_grows_resumes_to_the_bit(step):
    spec = {**ALONG, "clock": PLAN}
    whole = stepped(olm.build(spec, optimizer()), step)
    state = json.loads(json.dumps(whole.state_dict()))
    for resumed in (olm.build(state, optimizer()), olm.build(spec, optimizer())):
        resumed.load_state_dict(state)
        assert resumed.state_dict() == state
        for _ in range(5):
            assert resumed.get_last_lr() == whole.get_last_lr()
            assert resumed.values() == whole.values()
            stepped(resumed, 1), stepped(whole, 1)
        whole.load_state_dict(state)
    assert olm.parse(state).resolve().schedule == whole.schedule


def test_another_plan_is_a_difference_by_name_and_either_side_can_go_on():
    spec, other = ({**ALONG, "clock": {**PLAN, "batch_stages": stages}} for stages in (
        PLAN["batch_stages"], PLAN["batch_stages"][:2]))  # fmt: skip
    state = stepped(olm.build(spec, optimizer()), 20).state_dict()
    scheduler = olm.build(other, optimizer())
    text = refusal(lambda: scheduler.load_state_dict(state))
    assert "clock.batch_stages: the checkpoint has [" in text
    assert "per_step" not in text
    assert refusal(lambda: olm.build(state, optimizer(), clock=other["clock"])) == text
    scheduler.load_state_dict(state, on_change="checkpoint")
    assert scheduler.state_dict() == state
    scheduler = olm.build(other, optimizer())
    scheduler.load_state_dict(state, on_change="spec")
    assert scheduler.state_dict()["clock"] == other["clock"]
    assert stepped(scheduler, 20).values() == {"batch_size": 20}
    ramp = {"total_steps": "3000sp", "batch_ramp": {"start": 8, "end": 16, "by": 8, "over": "90sp"}}
    longer = {**ramp, "batch_ramp": {**ramp["batch_ramp"], "over": "180sp"}}
    state = olm.build(ALONG, optimizer(), clock=ramp).state_dict()
    text = refusal(lambda: olm.build(state, optimizer(), clock=longer))
    assert "clock.batch_ramp.over: the checkpoint has 90sp, this run 180sp" in text


def test_the_rate_goes_on_where_the_tokens_say_after_the_batch_was_doubled():
    """OLMo#411: 1B of 10B tokens were seen, and the batch doubles from 1M to 2M tokens."""
    spec = {"kind": "LinearLR", "total_steps": "10e9tok"}
    before = olm.build(spec, optimizer(1.0), clock={"tokens_per_step": 1_000_000})
    state = stepped(before, 1000).state_dict()
    stages = "[{from: 0, tokens: 1000000}, {from: 1000, tokens: 2000000}]"
    clock = {"tokens_per_step": 2_000_000}
    text = refusal(lambda: olm.build(state, optimizer(1.0), clock=clock))
    assert text.endswith(
        "if the batch changed at step 1,000, neither goes on at the tokens seen: put the schedule "
        f"on an axis of tokens, with clock: {{batch_stages: {stages}}}, and load this state with "
        'on_change="spec" (`olm explain growing-batches`)'
    )
    after = olm.build(
        {"kind": "TimeLR", "axis": "tokens", "scheduler": spec,
         "clock": {"batch_stages": [{"from": 0, "tokens": 1_000_000},
                                    {"from": 1000, "tokens": 2_000_000}]}},
        optimizer(1.0),
    )  # fmt: skip
    after.load_state_dict(state, on_change="spec")
    assert after.get_last_lr() == [0.9]
    assert stepped(after, 1).get_last_lr() == [0.8998]
    assert after.schedule.ends_at() == 5500
    resumed = olm.build(json.loads(json.dumps(after.state_dict())), optimizer(1.0))
    assert stepped(resumed, 1).get_last_lr() == [0.8996]


def test_a_batch_that_is_not_certain_is_left_to_the_reader():
    spec = {"kind": "LinearLR", "total_steps": "100sp"}
    state = olm.build(spec, optimizer(), clock={"samples_per_step": 30}).state_dict()
    text = refusal(lambda: olm.build(state, optimizer(), clock={"samples_per_step": 50}))
    assert "batch_stages: [{from: 0, samples: ...}, {from: 0, samples: 50}]" in text
    state = olm.build({**spec, "total_steps": "3%"}, optimizer(), clock={"total_steps": 200})
    text = refusal(lambda: olm.build(state.state_dict(), optimizer(), clock={"total_steps": 400}))
    assert "batch" not in text


def test_what_a_trainer_knows_of_the_batch_yields_to_a_plan_and_a_users_clock_does_not():
    spec = olm.parse({**ALONG, "clock": PLAN})
    trainers = olm.Clock(samples_per_step=64, steps_per_epoch=7).yielding()
    assert olm.build(spec, optimizer(), clock=trainers).values() == {"batch_size": 10}
    own = olm.Clock(samples_per_step=64)
    assert olm.build(spec, optimizer(), clock=own).values() == {}
    assert olm.build(spec, optimizer(), clock=own.over(trainers)).values() == {}
