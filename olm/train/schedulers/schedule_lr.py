"""The scheduler that steps along any schedule."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from olm.foreign.adopt import state_of
from olm.problem import OlmError, StateError, found
from olm.schedule.schedule import Schedule
from olm.spec.agreement import OnChange, agreed
from olm.spec.rates import as_float
from olm.spec.spec import Spec
from olm.spec.state_keys import as_step, check_step
from olm.spec.written_durations import Durations
from olm.train.schedulers.base import SchedulerBase
from olm.train.schedulers.constructor import constructor
from olm.train.schedulers.counted import in_steps
from olm.train.schedulers.groups import added_rates, check_bases, group_rates, mark, write
from olm.train.schedulers.hooks import after_loads, after_steps, check_order
from olm.train.schedulers.read_ahead import ReadAhead

CLASSES: dict[type[Schedule], type[ScheduleLR]] = {}
"""The torch class of every kind that has one by now."""


class ScheduleLR(SchedulerBase):
    """A torch scheduler that sets the rates of a schedule, step by step.

    >>> import torch
    >>> from olm.kinds.linear import Linear
    >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    >>> scheduler = ScheduleLR(optimizer, Linear(total_steps=4))
    >>> optimizer.step()
    >>> scheduler.step()
    >>> optimizer.param_groups[0]["lr"], scheduler.last_epoch
    (0.375, 1)

    The rates of a block of coming steps are evaluated at once and kept as plain lists, so that a
    step is a look-up. The block is dropped when anything that it depends on changes.

    A param group that is added later starts with its own ``initial_lr`` or ``lr`` as its base rate,
    at the step at which the schedule stands: what is unfrozen late joins the schedule where it is.

    Args:
        optimizer: the optimizer whose rates are set.
        schedule: what they are.
        last_epoch: -1 for a new run; k lands on step k + 1, as in torch, and needs ``initial_lr``
            in every group.

    Raises:
        RateError: a base rate, or the first rate, is negative or not finite. Nothing was changed.
        SpecError: there are durations in the schedule: `build` takes a clock.
    """

    _base_lrs_may_change = False
    """Whether a caller has the list of base rates, or has set one that differs."""
    _survives_optimizer_load = False
    """Whether the rates are written again after the optimizer has loaded a state."""
    _only_if_stepped = False
    """Whether `step` does nothing unless the optimizer has stepped since the last one."""
    _optimizer_stepped = False
    """Whether it has."""
    _on_change: OnChange = "error"
    """What `load_state_dict` does about differences, unless it is given a choice."""
    _durations: Durations = ()
    """The durations of the spec as they were written, each after its path."""

    def __init_subclass__(cls, model: type[Schedule] | None = None, **kwargs: Any) -> None:
        """Make a class the torch class of a kind: its constructor takes the fields of the model."""
        super().__init_subclass__(**kwargs)
        if model is not None:
            CLASSES[model] = cls
            # The arguments differ from those here.
            cls.__init__ = constructor(model, ScheduleLR.__init__)  # type: ignore[method-assign]

    def __init__(self, optimizer: Optimizer, schedule: Schedule, last_epoch: int = -1) -> None:
        check_step(last_epoch, OlmError)
        ahead = ReadAhead(in_steps(schedule), group_rates(optimizer))
        # Before torch's constructor touches the optimizer: this raises if there is no first rate.
        ahead.at(last_epoch + 1)
        self._construct(optimizer, ahead, last_epoch)

    def _construct(self, optimizer: Optimizer, ahead: ReadAhead, last_epoch: int = -1) -> None:
        self._lock = RLock()
        self._ahead = ahead
        super().__init__(optimizer, last_epoch)
        after_loads(self, ScheduleLR._optimizer_has_loaded)

    def _construct_from(
        self, optimizer: Optimizer, bases: list[float], state: Spec, on_change: OnChange
    ) -> None:
        """Construct a scheduler that goes on from a state, for an optimizer of these base rates."""
        assert state.last_epoch is not None
        # Before torch's constructor touches the optimizer: this raises if there is no next rate.
        ahead = ReadAhead(state.schedule, state.base_lrs or ())
        ahead.at(max(state.last_epoch, 0))
        first = ahead if bases == ahead.bases else ReadAhead(state.schedule, bases)
        if state.last_epoch < 0:
            first.at(0)
        self._state_to_resume = state, on_change, ahead
        self._construct(optimizer, first)

    def _initial_step(self) -> None:
        """Take the first step, or go to the state that the scheduler is constructed from."""
        # torch's constructor calls this last, and torch's composites call it once more.
        resumed = self.__dict__.pop("_state_to_resume", None)
        if resumed is None or resumed[0].last_epoch < 0:
            super()._initial_step()
        if resumed is not None:
            self._resume(*resumed)

    @property
    def schedule(self) -> Schedule:
        """The schedule, a frozen model: the hyperparameters are its fields."""
        return self._ahead.schedule

    @property  # type: ignore[override]  # torch's is an attribute, of rates that may be tensors
    def base_lrs(self) -> list[float]:
        """The base rate of every param group; a change in place counts from the next step on."""
        self._base_lrs_may_change = True
        return self._base_lrs

    @base_lrs.setter
    def base_lrs(self, rates: list[Any]) -> None:
        self._base_lrs = check_bases([as_float(rate) for rate in rates])
        self._base_lrs_may_change = self._base_lrs_may_change or self._base_lrs != self._ahead.bases

    def get_last_lr(self) -> list[float]:  # type: ignore[override]  # torch's may be tensors
        """The learning rates that were set last, one a param group, in a list of its own."""
        # They are floats already, and the list may be a row of the block.
        return list(self._last_lr)  # type: ignore[arg-type]  # torch's may be tensors

    def get_lr(self) -> list[float]:  # type: ignore[override]  # torch's may be tensors
        """The learning rate of every param group at step ``last_epoch``."""
        return list(self._ahead.at(max(self.last_epoch, 0)))

    def step(self, epoch: float | None = None) -> None:
        """Set the rates of the next step. Call it after ``optimizer.step()``.

        Args:
            epoch: nothing or, if the schedule is driven by a metric, a metric to `observe` first.

        Raises:
            OlmError: an epoch is given: a schedule has one clock, and only a state sets it.
            RateError: a rate would be negative or not finite. Nothing was changed.
        """
        if epoch is not None and not self.schedule.metric_driven:
            # Not a TypeError: DeepSpeed catches that and passes the batch size.
            raise OlmError(f"step() takes no epoch, found {found(epoch)}: load a state instead")
        if self._only_if_stepped:
            if not self._optimizer_stepped:
                if epoch is not None:
                    self.observe(epoch)
                return
            self._optimizer_stepped = False
        if self._step_count == 1:
            self._check_order()
        if epoch is None:
            self._go_to(self.last_epoch + 1)
        else:
            self._see(epoch, self.last_epoch + 1)
        self._step_count += 1

    def observe(self, metric: float) -> None:
        """Show the schedule a metric, such as a validation loss: the rates follow it at once.

        It is no step. A schedule that no metric drives stays as it is.

        Raises:
            OlmError: the metric is no number.
        """
        # A part of torch's sequence that has not begun is at step -1: its turn is not yet.
        if self.schedule.metric_driven and self.last_epoch >= 0:
            self._see(metric, self.last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """The schedule and where it stands: a spec, further along, in plain JSON values."""
        # Other threads may ask. A step changes one thing, and needs no lock; all else takes it.
        with self._lock:
            schedule, step, durations = self.schedule, self.last_epoch, self._durations
            bases = [*check_bases(list(self._base_lrs)), *self._added_bases()]
        state = Spec.trusted(
            schedule,
            durations=durations,
            last_epoch=as_step(step),
            # The list may have been changed in place; adding zero takes the sign off -0.0.
            base_lrs=[float(base) + 0.0 for base in bases],
        )
        return state.model_dump()

    def load_state_dict(
        self, state_dict: Mapping[str, Any], *, on_change: OnChange | None = None
    ) -> None:
        """Go to where a state stands. The rates of the param groups are right at once.

        Args:
            state_dict: what `state_dict` gave, here or in a file; or what a scheduler of the same
                meaning gave, of torch, transformers, timm or OpenLanguageModel. It stays as it is.
            on_change: what to do if the state is of another schedule or of other base rates: raise
                an ``"error"`` that lists the differences, go on with the ``"checkpoint"``'s
                schedule, or with this scheduler's, the ``"spec"``'s, whose rates then also survive
                a later loading of the optimizer. Without it, what `build` was told, which raises.

        Raises:
            StateError: it is no state of this scheduler. Nothing was changed.
        """
        on_change = on_change or self._on_change
        bases, kind = self._all_bases(), self.schedule.kind
        state = state_of(self.schedule, bases, state_dict, on_change)
        if on_change != "spec" and state.schedule.kind != kind:
            raise StateError(
                f"kind: the checkpoint has {state.schedule.kind}, this scheduler {kind}"
            )
        live = Spec.trusted(self.schedule, durations=self._durations)
        state = agreed(state, live, bases, on_change)
        ahead = self._ahead_for(state)
        if state.last_epoch is not None and state.last_epoch >= 0:
            ahead.at(state.last_epoch)
        self._resume(state, on_change, ahead)

    def _resume(self, state: Spec, on_change: OnChange, ahead: ReadAhead) -> None:
        """Go to where a state stands that this scheduler has agreed to.

        Args:
            state: the state.
            on_change: what was chosen to get there.
            ahead: its rates, of which the first is known to be usable.
        """
        assert state.last_epoch is not None
        assert state.base_lrs is not None
        with self._lock:
            self._survives_optimizer_load = self._survives_optimizer_load or on_change == "spec"
            self._ahead, self._base_lrs = ahead, list(state.base_lrs)
            self._durations = state.durations
            self.last_epoch = state.last_epoch
            self._step_count = state.last_epoch + 1
            self._optimizer_stepped = False
            self._reassert()

    def _go_to(self, step: int) -> None:
        """Set the rates of a step: all of them or, if one cannot be used, none."""
        groups = self.optimizer.param_groups
        if len(groups) != len(self._base_lrs) or (
            self._base_lrs_may_change and self._base_lrs != self._ahead.bases
        ):
            with self._lock:
                self._follow(step)
                self._go_to(step)
            return
        rates = self._ahead.at(step)
        # There are as many rates as groups; zip takes long to check it.
        for group, rate in zip(groups, rates):  # noqa: B905
            lr = group["lr"]
            # A float is told at once; that something is no tensor takes longer to find out.
            if type(lr) is float or not isinstance(lr, Tensor):
                group["lr"] = rate
            else:
                lr.fill_(rate)
        self.last_epoch = step
        self._last_lr = rates  # type: ignore[assignment]  # torch's may be tensors

    def _see(self, metric: float, then: int) -> None:
        """Observe a metric at this step, and set the rates of another."""
        schedule, before = self.schedule.observe(metric, max(self.last_epoch, 0)), self._ahead
        with self._lock:
            if schedule is not self.schedule:
                self._ahead = ReadAhead(schedule, before.bases)
            try:
                self._go_to(then)
            except OlmError:
                self._ahead = before
                raise

    def _follow(self, step: int) -> None:
        """Take over base rates changed in place, and those of param groups that were added."""
        bases = self._all_bases()
        ahead = ReadAhead(self.schedule, bases)
        ahead.at(step)
        self._ahead, self._base_lrs = ahead, bases
        mark(self.optimizer, self._base_lrs)

    def _all_bases(self) -> list[float]:
        """The base rate of every param group that there is now."""
        groups = self.optimizer.param_groups
        if len(groups) < len(self._base_lrs):
            raise StateError(
                f"the optimizer has {len(groups)} param groups, this scheduler was built for "
                f"{len(self._base_lrs)}: build another one"
            )
        return [*self._base_lrs, *self._added_bases()]

    def _added_bases(self) -> list[float]:
        """The base rates of the param groups with which no step was taken yet."""
        return added_rates(self.optimizer, len(self._base_lrs))

    def _update_lr(self, epoch: int | None = None) -> None:
        # torch's composites call it to start a child.
        self._go_to(self.last_epoch + 1 if epoch is None else epoch)

    def _check_order(self) -> None:
        check_order(self.optimizer)

    def _ahead_for(self, state: Spec) -> ReadAhead:
        """The rates of a state: those that are at hand, if they are of the same schedule."""
        ahead, bases = self._ahead, [*(state.base_lrs or ())]
        if (ahead.schedule, ahead.bases) == (state.schedule, bases):
            return ahead
        return ReadAhead(state.schedule, bases)

    def _reassert(self) -> None:
        """Write the base rates and the rates of this step; hardly any, if it has not begun."""
        if self.last_epoch < 0:
            mark(self.optimizer, self._base_lrs)
            return
        for group, base in zip(self.optimizer.param_groups, self._all_bases(), strict=True):
            write(group, "initial_lr", base)
        self._go_to(self.last_epoch)

    def _optimizer_has_loaded(self) -> None:
        """Keep what a state of the optimizer has overwritten, or was saved too early to have."""
        if self._survives_optimizer_load:
            self._reassert()
        else:
            mark(self.optimizer, self._base_lrs)

    def _optimizer_has_stepped(self) -> None:
        self._optimizer_stepped = True

    def _wait_for_the_optimizer(self) -> None:
        """From now on, advance only if the optimizer has stepped."""
        after_steps(self, ScheduleLR._optimizer_has_stepped)
        self._only_if_stepped = True

    def __getstate__(self) -> dict[str, Any]:
        # Without the block, and without the hooks, which are not copied with the optimizer.
        with self._lock:
            state = self.__dict__ | {"_ahead": ReadAhead(self.schedule, self._ahead.bases)}
            if state["last_epoch"] >= 0:
                # A step that is under way changes the one before the other.
                state["_last_lr"] = self._ahead.at(state["last_epoch"])
        del state["_lock"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = RLock()
        after_loads(self, ScheduleLR._optimizer_has_loaded)
        if self._only_if_stepped:
            self._wait_for_the_optimizer()
