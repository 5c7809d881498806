"""The torch scheduler of any schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from torch.optim import Optimizer

from olm.foreign.adopt import state_of
from olm.problem import OlmError, StateError, found
from olm.schedule.schedule import Schedule
from olm.spec.agreement import OnChange, agreed
from olm.spec.param_groups import ParamGroup
from olm.spec.parent import branched
from olm.spec.spec import Spec
from olm.spec.state_keys import as_step, check_step
from olm.train.schedulers.constructor import constructor
from olm.train.schedulers.counted import without_clock
from olm.train.schedulers.group_names import Outdated, names_of, restore_names
from olm.train.schedulers.groups import check_bases, check_fits, group_rates
from olm.train.schedulers.hooks import after_loads, after_steps, check_order
from olm.train.schedulers.rate_setter import RateSetter
from olm.train.schedulers.read_ahead import ReadAhead
from olm.train.schedulers.target_setter import (
    TargetSetter,
    check_metrics,
    check_numbers,
    in_state,
    lr_curves,
    setter_for,
)
from olm.train.schedulers.turns import Turn, take_turn, turn_of
from olm.train.schedulers.watch import Watch

_ToResume = tuple[Spec, OnChange, ReadAhead, TargetSetter | None]
"""What a scheduler that is constructed from a state resumes: the arguments of `_resume`."""

CLASSES: dict[type[Schedule], type[ScheduleLR]] = {}
"""The torch class of every kind whose class has been made."""


class ScheduleLR(RateSetter):
    """A torch scheduler that sets the rates of a schedule, step by step.

    >>> import torch
    >>> from olm.kinds.linear import Linear
    >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    >>> scheduler = ScheduleLR(optimizer, Linear(total_steps=4))
    >>> optimizer.step()
    >>> scheduler.step()
    >>> optimizer.param_groups[0]["lr"], scheduler.last_epoch
    (0.375, 1)

    The scheduler evaluates a block of coming steps at once and keeps the rates as plain lists, so
    that a step is a look-up. It drops the block when anything changes that the block depends on.

    A param group that is added later joins the schedule at the current step. Its base rate is its
    own ``initial_lr`` if it has one. Otherwise ``lr`` is the rate with which it trains until the
    next step, and its base rate is the one with which the schedule has that rate there; where none
    has, as at a rate of 0, its base rate is its ``lr``.

    Args:
        optimizer: the optimizer whose rates are set.
        schedule: the rates to set.
        last_epoch: -1 for a new run. As in torch, k continues at step k + 1 and needs
            ``initial_lr`` in every param group.

    Raises:
        RateError: a base rate or the first rate is negative or not finite. Nothing was changed.
        SpecError: the schedule has durations. Only `build` accepts a clock to count them.
    """

    _survives_optimizer_load = False
    """Whether the rates are written again after the optimizer has loaded a state."""
    _only_if_stepped = False
    """Whether `step` has no effect unless the optimizer has stepped since the last call."""
    _optimizer_stepped = False
    """Whether the optimizer has stepped since the last call of `step`; see `_only_if_stepped`."""
    _check_at: int
    """The `_step_count` at which `step` calls `_check`."""
    _only_floats = False
    """Whether a usual step only writes rates that are floats."""
    _has_turn = False
    """Whether this scheduler has stepped since it was built, copied or resumed."""
    _turn = Turn()
    """The turn of the optimizer, once this scheduler has had it; until then one of its own."""
    _as_last: Callable[[], ScheduleLR | None] | None = None
    """What the turn refers to while it is this scheduler's."""
    _on_change: OnChange = "error"
    """What `load_state_dict` does about differences if its caller does not choose."""
    _origin: Mapping[str, Any] = MappingProxyType({})
    """The durations as the spec has them, their rounding, and the parent. A state has them too."""

    def __init_subclass__(cls, model: type[Schedule] | None = None, **kwargs: Any) -> None:
        """Make a class the torch class of a kind. Its constructor takes the kind's fields."""
        super().__init_subclass__(**kwargs)
        if model is not None:
            CLASSES[model] = cls
            # Its arguments differ from those of ScheduleLR.
            cls.__init__ = constructor(model, ScheduleLR.__init__)  # type: ignore[method-assign]

    def __init__(self, optimizer: Optimizer, schedule: Schedule, last_epoch: int = -1) -> None:
        check_step(last_epoch, OlmError)
        self._construct_new(optimizer, without_clock(schedule), last_epoch)

    def _construct_new(
        self,
        optimizer: Optimizer,
        schedule: Schedule,
        last_epoch: int = -1,
        targets: TargetSetter | None = None,
    ) -> None:
        bases = group_rates(optimizer)
        curves = lr_curves(schedule, optimizer.param_groups, targets)
        ahead = ReadAhead(schedule, bases, curves)
        # This raises if a first number is not usable, before torch's constructor writes anything.
        check_numbers(optimizer.param_groups, ahead, targets, last_epoch + 1)
        if targets is not None:
            targets.ahead.check_run()
        self._construct(optimizer, ahead, last_epoch, targets=targets)

    def _construct(
        self,
        optimizer: Optimizer,
        ahead: ReadAhead,
        last_epoch: int = -1,
        resume: _ToResume | None = None,
        targets: TargetSetter | None = None,
    ) -> None:
        # A step reads these. Python reads an attribute of the instance much faster than one of the
        # class, unless something asks for the whole ``__dict__``.
        self._only_if_stepped = False
        self._check_at = 1
        self._watch = Watch()
        self._to_resume = resume
        super().__init__(optimizer, ahead, last_epoch, targets)
        after_loads(self, ScheduleLR._optimizer_has_loaded)

    def _construct_from(
        self,
        optimizer: Optimizer,
        bases: list[float],
        state: Spec,
        on_change: OnChange,
        targets: TargetSetter | None = None,
    ) -> None:
        """Construct a scheduler that resumes a state, for an optimizer with these base rates."""
        assert state.last_epoch is not None
        groups = optimizer.param_groups
        targets = targets or setter_for(optimizer, state)
        # As in __init__: unusable numbers raise before anything is written.
        curves = lr_curves(state.schedule, groups, targets)
        ahead = ReadAhead(state.schedule, state.base_lrs or (), curves)
        check_numbers(groups, ahead, targets, max(state.last_epoch, 0))
        check_fits(groups, ahead.bases, "initial_lr")
        first = ahead
        if bases != ahead.bases:
            first = ReadAhead(state.schedule, bases, curves)
        if state.last_epoch < 0:
            check_fits(groups, first.at(0))
        self._construct(
            optimizer, first, resume=(state, on_change, ahead, targets), targets=targets
        )

    def _initial_step(self) -> None:
        """Take the first step, or go to the step of the state that is resumed."""
        # torch's constructor calls this last. torch's composites call it again for their children.
        resume, self._to_resume = self._to_resume, None
        if resume is None or (resume[0].last_epoch or 0) < 0:
            super()._initial_step()
        if resume is not None:
            self._resume(*resume)

    def step(self, epoch: float | None = None) -> None:
        """Set the rates of the next step. Call this after ``optimizer.step()``.

        Args:
            epoch: None, or a metric to `observe` first if the schedule is metric-driven.

        Raises:
            OlmError: an epoch was passed; to go to another step, load a state. Or another scheduler
                has stepped the optimizer since this one did. Nothing was changed.
            RateError: a rate would be negative or not finite. Nothing was changed.
        """
        count, groups = self._step_count, self.optimizer.param_groups
        try:
            # As in `_go_to`.
            usual = groups == self._usual
        except Exception:
            usual = False
        # The usual step must cost next to nothing: if it only writes floats, it calls no function.
        if not usual or epoch is not None or count == self._check_at:
            self._step_with_care(epoch)
            return
        step, (first, end, rows) = self.last_epoch + 1, self._ahead.listed
        rates = rows[step - first] if first <= step < end else self._ahead.list_from(step)
        if self._only_floats:
            for group, rate in zip(groups, rates):  # noqa: B905  # a strict zip takes longer
                # isinstance and type() would do, but they take longer.
                if group["lr"].__class__ is float:
                    group["lr"] = rate
                else:
                    self._replace(group, rates)
                    break
        else:
            self._write(groups, step, rates)
        self.last_epoch = step
        self._last_lr = rates  # type: ignore[assignment]  # torch's may be tensors
        self._step_count = count + 1

    def _step_with_care(self, epoch: float | None) -> None:
        """Do all that may be due at a step, and decide whether the next may be a usual one."""
        if epoch is not None and not self._metric_driven:
            # Not a TypeError: DeepSpeed catches that and passes the batch size.
            way = "load a state, or pass step to olm.build"
            raise OlmError(f"step() takes no epoch, found {found(epoch)}: {way}")
        if self._only_if_stepped and not self._optimizer_stepped:
            if epoch is not None:
                self.observe(epoch)
            return
        if self._turn.last is not self._as_last:
            self._take_turn()
        self._optimizer_stepped = False
        if self._step_count == self._check_at:
            self._check()
        if epoch is None:
            self._go_to(self.last_epoch + 1)
        else:
            self._observe_and_go_to(epoch, self.last_epoch + 1)
        self._step_count += 1
        if not self._only_if_stepped:
            self._expect_usual()

    def _expect_usual(self) -> None:
        """Record that the next step only has to write numbers, if nothing changes until then."""
        self._only_floats = self._tensors is None and self._targets is None
        self._usual = self._groups
        # Only now, because another thread may change these and then sets `_usual` to None.
        if self._base_lrs_may_change or self._turn.last is not self._as_last:
            self._usual = None

    def _check(self) -> None:
        """Check what needs a check at a few steps only."""
        if self._step_count == 1:
            self._check_order()
        step = self.last_epoch + 1
        later = self._watch.check(step, self._ahead)
        self._check_at = -1 if later is None else self._step_count + later - step

    def _take_turn(self) -> None:
        """Raise an error if another scheduler has stepped the optimizer since this one did."""
        turn = turn_of(self.optimizer)
        # torch's constructor calls step(), and building is never an error.
        if turn.last() is not self and not self._is_initial:
            take_turn(self, turn, self._has_turn)
            self._has_turn = True
        if turn.last() is self:
            self._turn, self._as_last = turn, turn.last

    def _lose_turn(self) -> None:
        """Take the turn again, or raise an error, at the next step."""
        self._usual = None

    def observe(self, metric: float | None = None, **named: float) -> None:
        """Pass a metric, such as a validation loss, to the schedules and update the numbers.

        This takes no step. A schedule that is not metric-driven ignores the metric.

        Args:
            metric: the metric of the root and of the targets that do not name theirs.
            named: the metrics of the targets that name theirs, such as ``kl=0.02``.

        Raises:
            OlmError: a metric is not a number, or no target has one of its name.
        """
        check_metrics(self._targets, named)
        if metric is None and not named and self._metric_driven:
            raise OlmError("a schedule that is driven by a metric needs one: call observe(metric)")
        # A child of torch's SequentialLR that has not started is at step -1.
        if self._metric_driven and self.last_epoch >= 0:
            self._observe_and_go_to(metric, self.last_epoch, named)

    def values(self) -> dict[str, float]:
        """The values of the document at the current step, by name, for the training loop.

        They include the ``batch_size``, and ``tokens_per_sample``, where the clock changes them.
        """
        clock, step = self._origin.get("clock"), max(self.last_epoch, 0)
        run = {} if clock is None else clock.values_at(step)
        return {**run, **super().values()}

    def plot(self, ax: Any = None, *, steps: int | None = None) -> Any:
        """Draw the numbers with the current step on axes of matplotlib's: see `Spec.plot`.

        Args:
            ax: the axes, or one for each target; by default those of a new figure.
            steps: the last step; by default the end of the run, or of the schedule.
        """
        from olm.train.schedulers.showing import plot

        return plot(self, ax, steps)

    def __repr__(self) -> str:
        # One whose constructor has raised has no step.
        if not hasattr(self, "_step_count"):
            return object.__repr__(self)
        from olm.train.schedulers.showing import line

        return line(self)

    def _repr_html_(self) -> str:
        from olm.train.schedulers.showing import html

        return html(self)

    def state_dict(self) -> dict[str, Any]:
        """The schedule and the current step as a spec, in plain JSON values."""
        with self._lock:
            schedule, step, origin = self.schedule, self.last_epoch, self._origin
            bases, targets = self._numbers_to_save()
        state = Spec.trusted(
            schedule,
            **in_state(targets),
            **origin,
            last_epoch=as_step(step),
            # Callers may have put other numbers into the list. Adding 0.0 turns -0.0 into 0.0.
            base_lrs=[float(base) + 0.0 for base in bases],
        )
        return state.model_dump()

    def _numbers_to_save(self) -> tuple[list[float], TargetSetter | None]:
        # A removed param group is an error at the next step, not in a checkpoint before it.
        with suppress(StateError):
            return check_bases(self._all_bases()), self._targets_now()
        return check_bases(list(self._base_lrs)), self._targets

    def load_state_dict(
        self, state_dict: Mapping[str, Any], *, on_change: OnChange | None = None
    ) -> None:
        """Go to the step of a state, and set the rates of that step at once.

        Args:
            state_dict: a state that `state_dict` returned; or one from a scheduler of torch,
                transformers, timm or OpenLanguageModel with the same rates. It is not changed.
            on_change: what to do if the state has another schedule or other base rates.
                ``"error"`` raises an error that lists the differences, ``"checkpoint"`` continues
                with the state's schedule, ``"spec"`` with this scheduler's. With ``"spec"`` the
                rates also survive if the optimizer loads a state afterwards. The default is what
                was passed to `build`, else ``"error"``.

        Raises:
            StateError: it is not a state of this scheduler. Nothing was changed.
        """
        on_change = on_change or self._on_change
        bases, kind = self._all_bases(), self.schedule.kind
        targets = self._targets_now()
        late = () if targets is None else targets.late
        groups = self.optimizer.param_groups
        live = Spec.trusted(self.schedule, **in_state(targets), **self._origin)
        state = branched(state_of(live, bases, state_dict, on_change, groups), live, on_change)
        if on_change != "spec" and state.schedule.kind != kind:
            raise StateError(
                f"kind: the checkpoint has {state.schedule.kind}, this scheduler {kind}"
            )
        if targets is None and (state.also or len(state.base_lrs or ()) != len(bases)):
            names = tuple(map(ParamGroup, names_of(self.optimizer)))
            live = Spec.trusted(self.schedule, param_groups=names, **self._origin)
        state = agreed(state, live, bases, on_change)
        targets = setter_for(self.optimizer, state, late)
        ahead = self._ahead_for(state.schedule, [*(state.base_lrs or ())], targets)
        if state.last_epoch is not None and state.last_epoch >= 0:
            check_numbers(groups, ahead, targets, state.last_epoch)
            check_fits(groups, ahead.bases, "initial_lr")
        self._resume(state, on_change, ahead, targets)

    def _resume(
        self, state: Spec, on_change: OnChange, ahead: ReadAhead, targets: TargetSetter | None
    ) -> None:
        """Go to the step of a state that has been compared with this scheduler.

        Args:
            state: the state to resume, in full.
            on_change: which side its caller chose.
            ahead: the rates of the state. Those of its step are known to fit the param groups.
            targets: what sets its targets. The numbers of its step are known to fit as well.
        """
        assert state.last_epoch is not None
        assert state.base_lrs is not None
        with self._lock:
            self._survives_optimizer_load = self._survives_optimizer_load or on_change == "spec"
            self._ahead, self._base_lrs, self._targets = ahead, list(state.base_lrs), targets
            self._know(self.optimizer.param_groups)
            self._origin = state.origin
            self.last_epoch = state.last_epoch
            self._step_count = state.last_epoch + 1
            self._check_at = max(self._step_count, 1)
            self._optimizer_stepped = self._has_turn = False
            if state.last_epoch >= 0:
                self._write_all(self._base_lrs)
            else:
                self._set_initial()

    @property
    def _metric_driven(self) -> bool:
        driven = self._targets is not None and self._targets.metric_driven
        return driven or self.schedule.metric_driven

    def _observe_and_go_to(
        self, metric: float | None, step: int, named: Mapping[str, float] | None = None
    ) -> None:
        """Observe metrics at the current step, then set the numbers of `step`."""
        now, before = max(self.last_epoch, 0), (self._ahead, self._targets)
        self._watch.has_metric = True
        schedule = self.schedule if metric is None else self.schedule.observe(metric, now)
        targets = self._targets
        if targets is not None:
            also = targets.observe(metric, now, named or {})
            if schedule is not self.schedule or also != targets.also:
                targets = targets.again(schedule, self._groups, also=also)
        with self._lock:
            if schedule is not self.schedule or targets is not self._targets:
                curves = lr_curves(schedule, self._groups, targets)
                self._ahead = ReadAhead(schedule, self._ahead.bases, curves)
                self._targets = targets
            try:
                self._go_to(step, before[0].schedule)
            except OlmError:
                self._ahead, self._targets = before
                raise

    def _check_order(self) -> None:
        check_order(self.optimizer)

    def _optimizer_has_loaded(self) -> None:
        """Restore what the optimizer's state has overwritten, and base rates that it lacks."""
        self._usual = None
        if self._targets is not None:
            restore_names(self._groups, self.optimizer.param_groups)
            # Names may be others now, which the next step reports.
            self._groups = Outdated(self._groups)
        if self._survives_optimizer_load:
            self._rewrite()
        else:
            self._set_initial()

    def _optimizer_has_stepped(self) -> None:
        self._optimizer_stepped = True

    def _step_only_if_stepped(self) -> None:
        """From now on, ignore calls of `step` unless the optimizer has stepped."""
        after_steps(self, ScheduleLR._optimizer_has_stepped)
        self._only_if_stepped, self._usual = True, None

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {name: state[name] for name in state if name not in ("_turn", "_as_last")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._has_turn = False
        # Copying or pickling an optimizer drops its hooks.
        after_loads(self, ScheduleLR._optimizer_has_loaded)
        if self._only_if_stepped:
            self._step_only_if_stepped()
