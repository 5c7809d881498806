"""What is wrong if another package called `olm` has files in the folder of this one.

OpenLanguageModel and the `olm` of the package index are such packages. Whichever is installed last
overwrites files of the other, and uninstalling one deletes files of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from pathlib import Path

DISTRIBUTION = "olm-schedules"
FOLDER = Path(__file__).parent.parent

REINSTALL = f"pip install --force-reinstall --no-deps {DISTRIBUTION}"


def modules(names: Iterable[str]) -> list[str]:
    """The names in the folder that are modules or packages, sorted: no caches, no stray files."""
    return sorted(
        name for name in names if name.endswith(".py") or (FOLDER / name / "__init__.py").is_file()
    )


def explanation(unknown: Iterable[str] = ()) -> str:
    """What happened and what to do, in one sentence.

    Args:
        unknown: the modules of others in the folder.
    """
    if others := sorted(_others()):
        names = " and ".join(f"`{name}`" for name in others)
        return (
            f"{names} and `{DISTRIBUTION}` are installed in one folder, {FOLDER}, where each "
            f"overwrites files of the other: use an environment for each, or run `pip uninstall "
            f"{' '.join(others)} {DISTRIBUTION}` and then `pip install {DISTRIBUTION}`"
        )
    if not (FOLDER / "__init__.py").exists():
        return (
            f"{FOLDER / '__init__.py'} is missing, as it is after another package called `olm` was "
            f"uninstalled: run `{REINSTALL}`"
        )
    found = f", such as `{unknown[0]}`" if (unknown := list(unknown)) else ""
    return (
        f"{FOLDER} has files of another package called `olm`{found}: delete this folder and run "
        f"`{REINSTALL}`"
    )


def _others() -> Iterator[str]:
    """The other distributions with files in the folder."""
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name == DISTRIBUTION or Path(str(distribution.locate_file("olm"))) != FOLDER:
            continue
        if any(file.parts[0] == "olm" for file in distribution.files or ()):
            yield name
