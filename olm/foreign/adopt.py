"""A mapping as the state of a scheduler that is to go on from it, also another library's."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from olm.problem import SpecError, StateError
from olm.schedule.schedule import Schedule
from olm.spec.digest import digest
from olm.spec.root_keys import STATE_KEYS
from olm.spec.spec import Spec, parse
from olm.spec.state_keys import POSITION

if TYPE_CHECKING:
    from olm.foreign.states import Old, Seen
    from olm.spec.agreement import OnChange

_log = logging.getLogger("olm")


def state_of(
    live: Spec,
    base_lrs: Sequence[float],
    state: Mapping[str, Any],
    on_change: OnChange,
    groups: Sequence[Mapping[str, Any]] = (),
) -> Spec:
    """The state in a mapping, for a scheduler of this spec and these base rates.

    Args:
        live: the spec of the scheduler, with the own numbers of its targets.
        base_lrs: the base rates of its param groups.
        state: the mapping.
        on_change: which side its caller chose.
        groups: the param groups of its optimizer.

    Raises:
        StateError: the mapping is no state.
    """
    given: Mapping[str, Any] | Spec = state
    if isinstance(state, Mapping) and not {"kind", "digest"} & set(state):
        try:
            given = _adopted(live, base_lrs, state, on_change, groups)
        except StateError as error:
            if "on_change=" in str(error):
                raise
            way_out = _way_out(live, base_lrs, state, on_change, groups)
            raise StateError(f"{error}\n{way_out}") from None
    try:
        spec = parse(given)
    except SpecError as error:
        lines = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise StateError(f"this is not a state\n{lines}") from None
    if not spec.is_state:
        raise StateError(f"this is a spec, not a state: it has no {', '.join(STATE_KEYS)}")
    return spec


def _adopted(
    own: Spec,
    base_lrs: Sequence[float],
    state: Mapping[str, Any],
    on_change: OnChange,
    groups: Sequence[Mapping[str, Any]],
) -> Mapping[str, Any] | Spec:
    """A state by another library's scheduler, as one of ours."""
    from olm.foreign.states import Seen, check_rates, read

    live, exact = own.schedule, on_change != "spec"
    seen = Seen(live, tuple(base_lrs), targets=own.also, live_groups=groups, exact=exact)
    old = read(state, seen)
    if old is None and not exact:
        old = _position(live, state, seen)
    # The parent of a branch may be another library's scheduler, of any kind.
    any_kind = not exact or own.parent is not None
    if old is None or (not any_kind and old.schedule and old.schedule["kind"] != live.kind):
        old = _of_same_kind(live, state)
    if old.schedule is None and exact and live.metric_driven:
        raise StateError(
            f"{old.writer} does not save what {live.kind} remembers of its metrics, and it would "
            "have to be guessed"
        )
    fields = live.model_dump(mode="json") if old.schedule is None else old.schedule
    bases = tuple(base_lrs) if old.base_lrs is None else old.base_lrs
    document = fields | {"last_epoch": old.last_epoch, "base_lrs": list(bases)}
    try:
        schedule = parse(fields).schedule
        if old.also:
            document |= {
                "also": [target.as_document() for target in old.also],
                "param_groups": [group.as_document() for group in own.param_groups],
            }
        adopted = parse(document | {"digest": digest(schedule, old.also)})
    except SpecError:
        return document
    if exact:
        check_rates(state, old, schedule, bases)
    unsaid = ("the schedule",) if old.schedule is None else old.unsaid
    if unsaid:
        _log.warning("%s does not save %s: it is this scheduler's", old.writer, ", ".join(unsaid))
    return adopted


def _position(live: Schedule, state: Mapping[str, Any], seen: Seen) -> Old | None:
    """The position in a state of a class that is unknown; None if the state has no position."""
    from olm.foreign.states import Old
    from olm.foreign.states._reading import rates_in, step_of

    if not set(state) >= POSITION:
        return None
    if set(state) & set(type(live).model_fields):
        # A class of one's own may have a field of the same name.
        with suppress(StateError):
            return _of_same_kind(live, state)
    return Old(
        "an unknown scheduler", step_of(state, seen), rates_in(state, "base_lrs", seen), None
    )


def _way_out(
    own: Spec,
    base_lrs: Sequence[float],
    state: Mapping[str, Any],
    on_change: OnChange,
    groups: Sequence[Mapping[str, Any]],
) -> str:
    """How to continue from a state that cannot be read as it is."""
    from olm.foreign.states import Seen, read

    live, step = own.schedule, None
    if on_change != "spec":
        seen = Seen(live, tuple(base_lrs), targets=own.also, live_groups=groups, exact=False)
        with suppress(StateError):
            old = read(state, seen) or _position(live, state, seen)
            step = None if old is None else old.last_epoch
    if step is not None:
        return f'to go on with this scheduler\'s, from step {step} on: on_change="spec"'
    if live.metric_driven:
        return "only a state has what a metric-driven schedule remembers of its metrics"
    last = state.get("last_epoch")
    known = isinstance(last, int) and not isinstance(last, bool) and last >= 0
    argument = f"step={last}" if known else "step=..."
    return f"to begin at a step that is known: olm.build(spec, optimizer, {argument})"


def _of_same_kind(live: Schedule, state: Mapping[str, Any]) -> Old:
    """A state whose keys are the fields of our own kind."""
    from olm.fields.types import memory_fields
    from olm.foreign.states import Seen, same_fields
    from olm.spec.state_keys import check_keys

    model = type(live)
    fields = set(model.model_fields) - {"kind", *memory_fields(model)}
    check_keys(state, fields | POSITION, live.kind)
    return same_fields(live.kind, live.kind, state, Seen(live))
