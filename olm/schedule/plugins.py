"""Kinds that other packages bring, by the entry points of the group ``olm.kinds``.

    [project.entry-points."olm.kinds"]
    "acme.Rex" = "acme.schedules:Rex"

An entry point is called what the kind is, and stands for its model. The name has a dot, so that no
later kind of olm's can take it. To look which packages are installed takes longer than to check a
spec: they are asked only when a kind is met that nobody else knows, or when everything is listed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from olm.problem import OlmError, clipped

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

GROUP = "olm.kinds"
"""The group of the entry points."""

SHOWN = 200
"""The longest text of a foreign exception that is repeated in a message."""

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


class PluginError(OlmError):
    """A kind that an installed package brings cannot be used."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Offer:
    """A kind that a package says it brings."""

    kind: str
    """What the entry point is called."""
    value: str
    """Where it says that the model is, such as ``acme.schedules:Rex``."""
    package: str
    """The name and version of the distribution."""
    point: EntryPoint = field(repr=False, compare=False)

    def load(self) -> object:
        """What the entry point stands for.

        Raises:
            PluginError: it cannot be imported, whatever the reason.
        """
        try:
            return self.point.load()
        except (Exception, SystemExit) as error:
            why = f"`{clipped(self.value)}` cannot be imported: {in_short(error)}"
            raise self.refusal(why) from error

    def refusal(self, why: str) -> PluginError:
        """That this kind cannot be used, and why."""
        return PluginError(
            f"{self.package} brings the kind `{clipped(self.kind)}`, but {why}",
            hint="update or uninstall that package",
        )


@cache
def offers() -> dict[str, tuple[Offer, ...]]:
    """What the installed packages bring, by the names of the kinds, in the order of these names.

    Nothing is imported for it. Each is one offer, unless packages disagree.
    """
    from importlib.metadata import distributions

    found: dict[str, list[Offer]] = {}
    seen = set()
    for distribution in distributions():
        if points := _points(distribution):
            name, package = _names(distribution)
            # Only the first of a name on the path is the one that is imported.
            if name not in seen:
                seen.add(name)
                for point in points:
                    offer = Offer(point.name, point.value, package, point)
                    found.setdefault(point.name, []).append(offer)
    return {kind: tuple(found[kind]) for kind in sorted(found)}


def offered(kind: str) -> Offer:
    """The one offer of a kind.

    Raises:
        KeyError: no package brings it.
        PluginError: its name has no dot, or several packages bring it.
    """
    first, *others = offers()[kind]
    if others:
        packages = " and ".join(sorted(offer.package for offer in (first, *others)))
        message = f"several packages bring the kind `{clipped(kind)}`: {packages}"
        raise PluginError(message, hint="uninstall all of them but one")
    if not well_named(kind):
        raise first.refusal("the name of a plugin's kind is words with dots, as in `acme.Rex`")
    return first


def well_named(kind: str) -> bool:
    """Whether a plugin's kind may have this name.

    >>> [name for name in ("acme.Rex", "acme.lab.Rex", "Rex", ".Rex", "a.b/c") if well_named(name)]
    ['acme.Rex', 'acme.lab.Rex']
    """
    return _NAME.fullmatch(kind) is not None


def in_short(error: BaseException) -> str:
    r"""A foreign exception on one line that is short enough to repeat.

    >>> in_short(ValueError("no licence\nsee https://acme.example"))
    'ValueError: no licence'
    """
    text = next(iter(str(error).strip().splitlines()), "")
    text = text if text.isprintable() else ascii(text)[1:-1]
    text = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _points(distribution: Distribution) -> list[EntryPoint]:
    """The entry points of a distribution that are for olm; none, if they cannot be read."""
    try:
        return list(distribution.entry_points.select(group=GROUP))
    except Exception:
        # It need not be a plugin at all, and is no reason to do without the others.
        return []


def _names(distribution: Distribution) -> tuple[str, str]:
    """The name of a distribution in its normal form, and its name and version to show."""
    try:
        name, version = str(distribution.name), str(distribution.version)
    except Exception:
        name, version = "a package without metadata", ""
    return re.sub(r"[-_.]+", "-", name).lower(), clipped(f"{name} {version}".strip())
