"""Threads that read the state of a scheduler while another thread steps it see one moment.

The interpreter changes threads between two bytecode instructions. So here another thread asks, or
moves the scheduler on, before every single instruction of the scheduler's, one after the other.
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
"""Whose instructions: what else runs sees only values that no other thread changes."""
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
"""So many seconds a thread may take before it is taken to wait for the other one."""
AGAIN = 0.0005
"""And so many at every instruction from then on."""


def started(move=None):
    """A scheduler on its way."""
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
    """It is there before: to add one is a moment of its own, which a state knows of."""
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
    """All that a scheduler says of itself."""
    return scheduler.state_dict(), scheduler.get_last_lr()


ASKED = {
    "state_dict": lambda scheduler: scheduler.state_dict(),
    "get_last_lr": lambda scheduler: scheduler.get_last_lr(),
    "pickle": lambda scheduler: whole(pickle.loads(pickle.dumps(scheduler))),
    "deepcopy": lambda scheduler: whole(copy.deepcopy(scheduler)),
}


class Beside:
    """Calls in another thread, at most one at a time; one that has to wait is left to wait."""

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
    """Do something, with a call before every instruction; and how many there were."""
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


# A copy has an optimizer of its own: nobody can copy one while a step marks a new param group.
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
    # Only where it goes on, not what the rates are.
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
    """Ask, with a move before one of the instructions; and how many there were."""
    scheduler = started(move)
    before = ask(scheduler)
    with Beside(lambda: move(scheduler), patience=0.005) as moved:
        answer, count = between_instructions(
            lambda: ask(scheduler), lambda index: moved() if index == at else None
        )
    assert len(moved.answers) == 1
    assert answer in (before, ask(scheduler))
    return count
