"""The part of a scheduler that writes the rates of a step to the param groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import is_, itemgetter
from threading import RLock
from typing import Any

from torch.optim import Optimizer

from olm.problem import RateError, StateError, quantity
from olm.schedule.schedule import Schedule
from olm.spec.group_scales import scales
from olm.spec.rates import as_float
from olm.spec.target_curves import Curve
from olm.train.schedulers.base import SchedulerBase
from olm.train.schedulers.group_names import names_of
from olm.train.schedulers.groups import (
    EVERY_TYPE_HOLDS,
    Group,
    check_bases,
    check_fits,
    check_groups,
    group_rates,
    is_tensor,
    late_base,
    origins_of,
    set_initial_lrs,
    tensors_in,
    write,
)
from olm.train.schedulers.read_ahead import ReadAhead
from olm.train.schedulers.stacked_rates import StackedRates, stacked
from olm.train.schedulers.target_setter import TargetSetter, check_numbers, lr_curves

_lr_of = itemgetter("lr")


class RateSetter(SchedulerBase):
    """Looks the rates of a step up and writes them; base rates and param groups may change.

    Only `ScheduleLR` is built on it. Other threads may read a scheduler while one thread moves it.
    What a step changes is a single assignment, and every other change holds `_lock`.

    Args:
        optimizer: the optimizer whose rates are set.
        ahead: the rates, for the optimizer's base rates.
        last_epoch: the step last taken, as in torch: construction takes one more.
        targets: what sets other numbers, for the optimizer's own numbers.
    """

    _base_lrs_may_change = False
    """Whether a caller has the list of base rates, or has assigned another one."""
    _usual: list[Group] | None = None
    """The param groups, if a step only has to write numbers as long as they stay the same.

    Whatever else a step must look at sets this to None.
    """
    _tensors: list[object] | None = None
    """What `tensors_in` returned for the param groups: their rates that can be filled."""
    _stack: StackedRates | None = None
    """The same for one copy, if each rate is one of several tensors that allow that."""

    def __init__(
        self,
        optimizer: Optimizer,
        ahead: ReadAhead,
        last_epoch: int = -1,
        targets: TargetSetter | None = None,
    ) -> None:
        self._targets = targets
        # Python reads an attribute of the instance much faster than one of the class.
        self._base_lrs_may_change = False
        self._lock = RLock()
        self._ahead = ahead
        self._know(optimizer.param_groups)
        super().__init__(optimizer, last_epoch)
        self._set_initial()

    @property
    def schedule(self) -> Schedule:
        """The schedule, a frozen model whose fields are the hyperparameters."""
        return self._ahead.schedule

    @property  # type: ignore[override]  # torch's is an attribute, of rates that may be tensors
    def base_lrs(self) -> list[float]:
        """The base rate of every param group. A change in place applies from the next step on."""
        self._base_lrs_may_change, self._usual = True, None
        return self._base_lrs

    @base_lrs.setter
    def base_lrs(self, rates: list[Any]) -> None:
        self._base_lrs = check_bases([as_float(rate) for rate in rates])
        if self._base_lrs != self._ahead.bases:
            self._base_lrs_may_change, self._usual = True, None

    def get_last_lr(self) -> list[float]:  # type: ignore[override]  # torch's may be tensors
        """The learning rates that were last set, one per param group, as a new list."""
        # A copy, because the list may be a row of the block. Its items are floats already.
        return list(self._last_lr)  # type: ignore[arg-type]  # torch's may be tensors

    def get_lr(self) -> list[float]:  # type: ignore[override]  # torch's may be tensors
        """The learning rate of every param group at step ``last_epoch``."""
        return list(self._ahead.at(max(self.last_epoch, 0)))

    def values(self) -> dict[str, float]:
        """The values of the document at the current step, by name, for the training loop."""
        return {} if self._targets is None else self._targets.values(max(self.last_epoch, 0))

    def settings(self) -> dict[str, float]:
        """All numbers of the current step by flat names, for logs.

        A hyperparameter has the name of its param group after it, as in ``lr/head``; groups without
        names have their positions, ``lr/#0``. A value has its own name.
        """
        groups, targets = self.optimizer.param_groups, self._targets
        names = names_of(self.optimizer, () if targets is None else targets.late)
        rates = {f"lr/{name}": lr for name, lr in zip(names, self.get_last_lr(), strict=False)}
        others = {} if targets is None else targets.settings(groups)
        return {**rates, **others, **self.values()}

    def frozen(self) -> list[str]:
        """The param groups whose own schedule gives 0 while that of the other groups does not."""
        targets = self._targets
        if targets is None:
            return []
        owned = list(zip(targets.names, self._last_lr, targets.targeted(), strict=False))
        if not any(rate for _, rate, own in owned if not own):
            return []
        return [name for name, rate, own in owned if own and not rate]

    def _go_to(self, step: int, before: Schedule | None = None) -> None:
        """Set all numbers of a step, or none if one of them is not usable.

        Args:
            step: the step.
            before: the schedule of the current rates, if a metric has changed it since.
        """
        groups = self.optimizer.param_groups
        try:
            # Lists of the same objects are equal at once; equal groups need no other base rates.
            same = groups == self._groups
        except Exception:
            # Tensors of two groups cannot be compared.
            same = False
        if not same or (self._base_lrs_may_change and self._base_lrs != self._ahead.bases):
            with self._lock:
                self._adopt_bases(step, before)
                self._go_to(step)
            return
        rates = self._ahead.at(step)
        self._write(groups, step, rates)
        self.last_epoch = step
        self._last_lr = rates  # type: ignore[assignment]  # torch's may be tensors

    def _write(self, groups: list[Group], step: int, rates: list[float]) -> None:
        """Write all numbers of a step, or none if one of them is not usable."""
        tensors, targets = self._tensors, self._targets
        if targets is not None:
            numbers = targets.at(groups, step)
        if tensors is None:
            for group, rate in zip(groups, rates):  # noqa: B905  # a strict zip takes longer
                if group["lr"].__class__ is float:
                    group["lr"] = rate
                else:
                    self._replace(group, rates)
                    break
        else:
            self._fill(groups, tensors, rates)
        if targets is not None:
            targets.write(groups, numbers)

    def _fill(self, groups: list[Group], tensors: list[Any], rates: list[float]) -> None:
        """Write rates, most of them to known tensors, or none if one of them is not usable."""
        if self._ahead.most > EVERY_TYPE_HOLDS:
            check_fits(groups, rates)
        stack = self._stack
        if stack is not None and all(map(is_, map(_lr_of, groups), tensors)):
            stack.fill(rates)
            return
        for group, rate, tensor in zip(groups, rates, tensors):  # noqa: B905  # as above
            if group["lr"] is tensor:
                tensor.fill_(rate)
            elif group["lr"].__class__ is float:
                group["lr"] = rate
            else:
                self._replace(group, rates)
                break

    def _replace(self, first: Group, rates: list[float]) -> None:
        """Write all rates after a param group was given a new tensor, or neither tensor nor float.

        Args:
            first: the first such param group. Those before it have been written already.
            rates: the rates of all groups.
        """
        groups = self.optimizer.param_groups
        if any(map(is_tensor, map(_lr_of, groups))):
            try:
                check_groups(groups)
                check_fits(groups, rates)
            except RateError:
                for group, last in zip(groups, self.get_last_lr(), strict=False):
                    if group is first:
                        break
                    write(group, "lr", last)
                raise
            self._know_tensors(groups)
        for group, rate in zip(groups, rates, strict=True):
            write(group, "lr", rate)

    def _update_lr(self, epoch: int | None = None) -> None:
        # torch's composites call this to start a child.
        self._go_to(self.last_epoch + 1 if epoch is None else epoch)

    def _know(self, groups: list[Group]) -> None:
        """Record the param groups to which the base rates belong."""
        # The groups themselves, because the id of one that is removed may be used again.
        self._groups = list(groups)
        self._know_tensors(groups)

    def _know_tensors(self, groups: list[Group]) -> None:
        """Record the tensors that a step fills without another look at them."""
        self._tensors = known = tensors_in(groups)
        self._stack = None if known is None else stacked(known)
        self._usual = None

    def _adopt_bases(self, step: int, before: Schedule | None = None) -> None:
        """Use base rates that were changed in place and those of added param groups."""
        bases = self._all_bases(before)
        groups = self.optimizer.param_groups
        targets = self._targets_now()
        ahead = self._ahead_for(self.schedule, bases, targets)
        check_numbers(groups, ahead, targets, step)
        self._ahead, self._base_lrs, self._targets = ahead, bases, targets
        self._know(groups)
        self._set_initial()

    def _set_initial(self) -> None:
        """Write the base rates and each group's own numbers where they are missing."""
        set_initial_lrs(self.optimizer, self._groups, self._base_lrs)
        if self._targets is not None:
            groups = self.optimizer.param_groups
            self._targets.set_initial(groups, origins_of(groups, self._groups))

    def _targets_now(self) -> TargetSetter | None:
        """The targets for the current param groups, which may have been added or replaced."""
        targets, groups = self._targets, self.optimizer.param_groups
        if targets is None:
            return None
        names = names_of(self.optimizer, targets.late)
        if names == targets.names and all(map(is_, groups, self._groups)):
            return targets
        origins = origins_of(groups, self._groups)
        for index, (origin, name) in enumerate(zip(origins, names, strict=True)):
            if origin is not None and (known := targets.names[origin]) != name:
                raise StateError(
                    f"param_groups[{index}] was called {known}, and is called {name} now: load a "
                    "state of this optimizer, or build a new scheduler"
                )
        own = [{} if origin is None else targets.own[origin] for origin in origins]
        return TargetSetter(self.schedule, targets.also, groups, names, own, targets.late)

    def _all_bases(self, before: Schedule | None = None) -> list[float]:
        """The base rate of every current param group, in the current order."""
        groups, bases = self.optimizer.param_groups, self._base_lrs
        if len(groups) == len(bases) != len(self._groups):
            # The caller has changed the list of base rates together with the groups.
            return list(bases)
        check_groups(groups)
        if len(groups) == len(bases) and all(map(is_, groups, self._groups)):
            return list(bases)
        known = self._groups[: len(bases)]
        origins = origins_of(groups, known)
        current = [
            bases[origin]
            if origin is not None
            else late_base(self._lr_by_base(index, before), self.last_epoch, groups[index])
            for index, origin in enumerate(origins)
        ]
        if removed := {*range(len(known))}.difference(origins):
            raise self._removed(min(removed))
        if len(groups) > len(self._groups):
            check_bases(current)
            group_rates(self.optimizer)
        return current

    def _lr_by_base(self, index: int, before: Schedule | None) -> Callable[[int, list[float]], Any]:
        """The current rates of a param group that was added, as a function of its base rate."""
        schedule, targets = before or self.schedule, self._targets
        factors = scales(self.optimizer.param_groups)
        if targets is None and not factors:
            return schedule.lr
        curve = Curve(schedule)
        if targets is not None:
            curve = targets.lr_curve(schedule, names_of(self.optimizer, targets.late)[index])
        return replace(curve, scale=factors[index]).at if factors else curve.at

    def _removed(self, index: int) -> StateError:
        groups = self.optimizer.param_groups
        if len(groups) < len(self._groups):
            return StateError(
                f"the optimizer has {quantity(len(groups), 'param group')}, but this scheduler was "
                f"built for {len(self._groups):,}: build a new scheduler"
            )
        return StateError(
            f"param_groups[{index}] was removed from the optimizer, and another param group was "
            "added: build a new scheduler"
        )

    def _ahead_for(
        self, schedule: Schedule, bases: list[float], targets: TargetSetter | None
    ) -> ReadAhead:
        """The rates of a schedule: the current ones, with their block, if they are the same."""
        ahead = self._ahead
        curves = lr_curves(schedule, self.optimizer.param_groups, targets)
        same = (ahead.schedule, ahead.bases, ahead.curves) == (schedule, bases, curves)
        return ahead if same else ReadAhead(schedule, bases, curves)

    def _rewrite(self) -> None:
        """Write the base rates and the rates of the current step to the param groups again.

        Before the first step only missing base rates are written.
        """
        if self.last_epoch >= 0:
            groups, bases = self.optimizer.param_groups, self._all_bases()
            targets = self._targets_now()
            check_fits(groups, bases, "initial_lr")
            ahead = self._ahead_for(self.schedule, bases, targets)
            check_numbers(groups, ahead, targets, self.last_epoch)
            self._targets = targets
            self._write_all(bases)
        else:
            self._set_initial()

    def _write_all(self, bases: list[float]) -> None:
        """Write base rates and the numbers of the current step, which are known to fit."""
        groups = self.optimizer.param_groups
        for group, base in zip(groups, bases, strict=True):
            write(group, "initial_lr", base)
        if self._targets is not None:
            self._targets.write_initial(groups)
        self._go_to(self.last_epoch)

    def __getstate__(self) -> dict[str, Any]:
        # Without the block, which can be evaluated again, and the lock, which cannot be pickled.
        with self._lock:
            ahead = self._ahead
            state = self.__dict__ | {"_ahead": ReadAhead(ahead.schedule, ahead.bases, ahead.curves)}
            if self._targets is not None:
                state["_targets"] = self._targets.again(self.schedule, self._groups)
            if state["last_epoch"] >= 0:
                # A step in another thread sets last_epoch first and _last_lr after it.
                state["_last_lr"] = self._ahead.at(state["last_epoch"])
        del state["_lock"]
        state |= {"_usual": None, "_tensors": None, "_stack": None}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = RLock()
