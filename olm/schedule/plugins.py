"""Kinds from other packages, by the entry points of the group ``olm.kinds``.

    [project.entry-points."olm.kinds"]
    "acme.Rex" = "acme.schedules:Rex"

An entry point has the name of the kind and refers to its model. The name has a dot, so that no
later kind of olm conflicts with it. Listing the installed packages takes longer than checking a
spec, so it is done only for an unknown kind, or when all kinds are listed.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from olm.problem import OlmError, clipped

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

GROUP = "olm.kinds"
"""The group of the entry points."""

SHOWN = 200
"""How many characters of another package's exception a message repeats, at most."""

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


class PluginError(OlmError):
    """A kind of an installed package cannot be used."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Offer:
    """A kind that a package offers by an entry point."""

    kind: str
    """The name of the entry point."""
    value: str
    """The location of the model, such as ``acme.schedules:Rex``."""
    package: str
    """The name and version of the distribution."""
    point: EntryPoint = field(repr=False, compare=False)

    def load(self) -> object:
        """The object that the entry point refers to.

        Raises:
            PluginError: the import fails, for any reason.
        """
        try:
            return self.point.load()
        except (Exception, SystemExit) as error:
            why = f"`{clipped(self.value)}` cannot be imported: {in_short(error)}"
            raise self.refusal(why) from error

    def refusal(self, why: str) -> PluginError:
        """The error that the kind cannot be used, with the reason."""
        return PluginError(
            f"{self.package} provides the kind `{clipped(self.kind)}`, but {why}",
            hint="update or uninstall that package",
        )


@cache
def offers() -> dict[str, tuple[Offer, ...]]:
    """The offers of the installed packages, by the names of the kinds, in alphabetical order.

    No plugin is imported. A kind has several offers only if several packages provide it.
    """
    if not may_be_offered():
        return {}
    from importlib.metadata import distributions

    found: dict[str, list[Offer]] = {}
    seen = set()
    for distribution in distributions():
        if points := _points(distribution):
            name, package = _names(distribution)
            # Of several distributions of a name, the first on the path is imported.
            if name not in seen:
                seen.add(name)
                for point in points:
                    offer = Offer(point.name, point.value, package, point)
                    found.setdefault(point.name, []).append(offer)
    return {kind: tuple(found[kind]) for kind in sorted(found)}


def may_be_offered() -> bool:
    """Whether an installed package may provide a kind; false only if none does.

    It looks into the files that `importlib.metadata` parses, whose import takes a tenth of a check.
    """
    finders = (finder for finder in sys.meta_path if finder is not PathFinder)
    if any(hasattr(finder, "find_distributions") for finder in finders):
        return True
    return any(_may_have_offers(Path(folder)) for folder in sys.path)


def _may_have_offers(folder: Path) -> bool:
    """Whether a package in a folder of the path may provide a kind; true for an archive."""
    if not folder.is_dir():
        return folder.exists()
    ends = (".dist-info", "egg-info")
    with suppress(OSError):
        return any(
            _names_group(each) for each in folder.iterdir() if each.name.lower().endswith(ends)
        )
    return False


def _names_group(folder: Path) -> bool:
    """Whether the metadata of a package contain the name of the group."""
    with suppress(OSError):
        return GROUP.encode() in (folder / "entry_points.txt").read_bytes()
    return False


def offered(kind: str) -> Offer:
    """The one offer of a kind.

    Raises:
        KeyError: no package provides the kind.
        PluginError: its name has no dot, or several packages provide it.
    """
    first, *others = offers()[kind]
    if others:
        packages = " and ".join(sorted(offer.package for offer in (first, *others)))
        message = f"several packages provide the kind `{clipped(kind)}`: {packages}"
        raise PluginError(message, hint="uninstall all of them but one")
    if not well_named(kind):
        raise first.refusal(
            "the name of a plugin's kind must be words joined by dots, as in `acme.Rex`"
        )
    return first


def well_named(kind: str) -> bool:
    """Whether a plugin's kind may have a name.

    >>> [name for name in ("acme.Rex", "acme.lab.Rex", "Rex", ".Rex", "a.b/c") if well_named(name)]
    ['acme.Rex', 'acme.lab.Rex']
    """
    return _NAME.fullmatch(kind) is not None


def in_short(error: BaseException) -> str:
    r"""Another package's exception in one short line.

    >>> in_short(ValueError("no licence\nsee https://acme.example"))
    'ValueError: no licence'
    """
    text = next(iter(str(error).strip().splitlines()), "")
    text = text if text.isprintable() else ascii(text)[1:-1]
    text = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _points(distribution: Distribution) -> list[EntryPoint]:
    """The entry points of a distribution for olm; none if they cannot be read."""
    try:
        return list(distribution.entry_points.select(group=GROUP))
    except Exception:
        # Most likely it is no plugin, and the others are usable.
        return []


def _names(distribution: Distribution) -> tuple[str, str]:
    """The normalized name of a distribution, and its name and version for messages."""
    try:
        name, version = str(distribution.name), str(distribution.version)
    except Exception:
        name, version = "a package without metadata", ""
    return re.sub(r"[-_.]+", "-", name).lower(), clipped(f"{name} {version}".strip())
