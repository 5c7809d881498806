"""Threads that read the state of a scheduler while another thread steps it see one moment.

The interpreter switches threads between two bytecode instructions. Here, another thread reads or
steps the scheduler before each instruction of the scheduler, one after the other.
"""

import copy
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import olm
from olm.train.schedulers import base, rate_setter, schedule_lr
from training import BASES, optimizer_of, trained

SCHEDULER = {schedule_lr.__file__, rate_setter.__file__, base.__file__}
"""The modules whose instructions are traced; others only see values that no thread changes."""
PRODUCT = {
    "kind": "ChainedScheduler",
    "schedulers": [
        {"kind": "ReduceLROnPlateau", "factor": 0.5, "patience": 0},
        {"kind": "ExponentialLR", "gamma": 0.9},
    ],
}
SEQUENCE = {
    "kind": "SequentialLR",
    "schedulers": [{"kind": "WarmupLR", "warmup_steps": 2}, PRODUCT],
    "milestones": [2],
}
OTHER = {**SEQUENCE, "milestones": [3]}
PATIENCE = 0.1
"""The seconds after which a thread is assumed to wait for the other one."""
AGAIN = 0.0005
"""The seconds at every instruction from then on."""


def started(move=None):
    """A scheduler after a few steps."""
    scheduler = olm.build(SEQUENCE, optimizer_of(*BASES))
    trained(scheduler, 4)
    scheduler.observe(1.0)
    if move is step_with_another_group:
        scheduler.optimizer.add_param_group({**optimizer_of(0.7).param_groups[0]})
    return scheduler


def another_state():
    scheduler = olm.build(OTHER, optimizer_of(0.4, 0.2, 0.1))
    trained(scheduler, 9)
    scheduler.observe(0.5)
    return scheduler.state_dict()


def load(scheduler):
    scheduler.load_state_dict(another_state(), on_change="checkpoint")


def load_for_spec(scheduler):
    scheduler.load_state_dict(another_state(), on_change="spec")


def step_with_another_group(scheduler):
    """The group exists before: adding it is a separate moment, which a state records."""
    scheduler.step()


MOVES = {
    "step": lambda scheduler: scheduler.step(),
    "observe": lambda scheduler: scheduler.observe(2.0),
    "step with a metric": lambda scheduler: scheduler.step(2.0),
    "load another schedule": load,
    "load for this schedule": load_for_spec,
    "step with another group": step_with_another_group,
}


def whole(scheduler):
    """The state and all rates of a scheduler."""
    return scheduler.state_dict(), scheduler.get_last_lr()


ASKED = {
    "state_dict": lambda scheduler: scheduler.state_dict(),
    "get_last_lr": lambda scheduler: scheduler.get_last_lr(),
    "pickle": lambda scheduler: whole(pickle.loads(pickle.dumps(scheduler))),
    "deepcopy": lambda scheduler: whole(copy.deepcopy(scheduler)),
}


class Beside:
    """Calls in another thread, at most one at a time; a call that blocks is left blocked."""

    def __init__(self, call, patience=PATIENCE):
        self.call, self.patience = call, patience
        self.pool, self.pending, self.answers = ThreadPoolExecutor(1), None, []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.collect(None)
        self.pool.shutdown()

    def __call__(self):
        self.collect(AGAIN)
        if self.pending is None:
            self.pending = self.pool.submit(self.call)
            self.collect(self.patience)

    def collect(self, seconds):
        if self.pending:
            try:
                self.answers.append(self.pending.result(seconds))
            except TimeoutError:
                return
            self.pending = None


def between_instructions(act, call):
    """Run an action with a call before every instruction; return the number of instructions."""
    count = 0

    def at_instruction(frame, event, argument):
        nonlocal count
        if event == "opcode":
            call(count)
            count += 1
        return at_instruction

    def at_call(frame, event, argument):
        if frame.f_code.co_filename not in SCHEDULER:
            return None
        frame.f_trace_opcodes = True
        return at_instruction

    before = sys.gettrace()
    sys.settrace(at_call)
    try:
        answer = act()
    finally:
        sys.settrace(before)
    return answer, count


# A copy has its own optimizer, which cannot be copied while a step marks a new param group.
together = pytest.mark.parametrize(
    ("move", "ask"),
    [
        pytest.param(MOVES[move], ASKED[ask], id=f"{move}, {ask}")
        for move in MOVES
        for ask in ASKED
        if not (move == "step with another group" and ask in ("pickle", "deepcopy"))
    ],
)


@together
def test_another_thread_sees_a_consistent_state_between_any_instructions_of_a_step(move, ask):
    scheduler = started(move)
    before = ask(scheduler)
    with Beside(lambda: ask(scheduler)) as asked:
        _, count = between_instructions(lambda: move(scheduler), lambda _: asked())
    after = ask(scheduler)
    assert count > 50
    assert asked.answers
    # Only its position, not its rates.
    assert before != after or move is load_for_spec
    for answer in asked.answers:
        assert answer in (before, after)


@together
def test_a_step_between_any_instructions_of_state_dict_is_seen_completely_or_not_at_all(move, ask):
    at, count = 0, 1
    while at < count:
        count = ask_while_it_moves(move, ask, at)
        at += 1
    assert at > 5


def ask_while_it_moves(move, ask, at):
    """Read the state, with a step before one instruction; return the number of instructions."""
    scheduler = started(move)
    before = ask(scheduler)
    with Beside(lambda: move(scheduler), patience=0.005) as moved:
        answer, count = between_instructions(
            lambda: ask(scheduler), lambda index: moved() if index == at else None
        )
    assert len(moved.answers) == 1
    assert answer in (before, ask(scheduler))
    return count
