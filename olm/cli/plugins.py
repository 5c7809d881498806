"""The kinds of installed plugins, for commands that list or describe kinds."""

from __future__ import annotations

import sys
from collections.abc import Callable

from olm.fields.foreign_kinds import foreign_kind
from olm.kinds import KINDS
from olm.problem import clipped
from olm.schedule.plugins import PluginError, in_short, offered, offers
from olm.schedule.schedule import NOT_INSTALLED, Schedule, nearest_kind


def plugins(
    verb: str, describe: Callable[[type[Schedule]], object]
) -> dict[str, list[type[Schedule]]]:
    """The kinds of plugins, by package.

    Args:
        verb: the name of the command, for warnings on stderr about kinds that cannot be used.
        describe: what the command does with each kind, which may fail for the model of a plugin.
    """
    found: dict[str, list[type[Schedule]]] = {}
    for kind, (offer, *_) in offers().items():
        try:
            model = plugin(kind, describe)
        except PluginError as refusal:
            print(f"olm {verb}: warning: {refusal}", file=sys.stderr)
        else:
            found.setdefault(offer.package, []).append(model)
    return {package: found[package] for package in sorted(found, key=str.lower)}


def plugin(kind: str, describe: Callable[[type[Schedule]], object]) -> type[Schedule]:
    """The model of the kind of a plugin, if it can be described.

    Raises:
        KeyError: no plugin has this kind.
        PluginError: the kind cannot be used.
    """
    # It reserves the names of its keys: a kind that has a field of such a name cannot be used.
    import olm.spec.root_keys  # noqa: F401

    model = KINDS.plugin(kind)
    try:
        describe(model)
    except Exception as error:
        raise offered(kind).refusal(f"it cannot be described: {in_short(error)}") from error
    return model


def model_of(kind: str, describe: Callable[[type[Schedule]], object]) -> type[Schedule] | str:
    """The model of any kind, or an error message if it cannot be loaded or described."""
    if "." not in kind and (own := KINDS.loaded(kind)) is not None:
        return own
    try:
        return plugin(kind, describe)
    except PluginError as refusal:
        return f"{refusal}: {refusal.hint}"
    except KeyError:
        pass
    if foreign := foreign_kind(kind, KINDS):
        return f"there is no kind `{clipped(kind)}`: {foreign[0]}"
    near = nearest_kind(kind)
    elsewhere = NOT_INSTALLED if "." in kind else "`olm kinds` lists them"
    hint = f"did you mean `{near}`?" if near else elsewhere
    return f"there is no kind `{clipped(kind)}`: {hint}"
