"""Write the keys that the configurations of frameworks can have to tests/imports/FORMAT/keys.json.

    python3 tools/framework_keys                       write those of all formats
    python3 tools/framework_keys axolotl --check       write nothing, report a difference

A file of a package is read from the installed package, if that has the wanted version, or from a
wheel that pip downloads and that is never installed. A file of a repository is read by git from a
clone in --clones, which is made there if it is missing, or from a file in its place.
"""

import argparse
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import gettempdir
from typing import Any

FOLDER = Path(__file__).resolve().parent
sys.path[0] = str(FOLDER.parent)

from environment import ROOT  # noqa: E402  # needs the path above
from framework_keys import Package, Place, Repository  # noqa: E402  # needs the path above
from framework_keys._reading import read_keys  # noqa: E402  # needs the path above

COMMAND = "python3 tools/framework_keys"
IMPORTS = ROOT / "tests" / "imports"
NAMES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def main(args: list[str]) -> int:
    """Write or check the files of some formats, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"one of {', '.join(NAMES)}")
    parser.add_argument("--check", action="store_true", help="write nothing, report differences")
    folder = Path(gettempdir()) / "framework-keys"
    parser.add_argument("--clones", type=Path, default=folder, help="the folder of the clones")
    parser.add_argument("--wheels", type=Path, default=folder, help="the folder of the wheels")
    given = parser.parse_args(args)
    if unknown := [name for name in given.formats if name not in NAMES]:
        parser.error(f"unknown format {unknown[0]}; the formats are {', '.join(NAMES)}")
    status = 0
    for name in given.formats or NAMES:
        places = import_module(f"framework_keys.{name}").PLACES
        text = written([recorded(place, given.clones, given.wheels) for place in places])
        file = IMPORTS / name / "keys.json"
        same = file.is_file() and file.read_text() == text
        status |= given.check and not same
        print(f"{name}: {'unchanged' if same else 'different' if given.check else 'written'}")
        if not (same or given.check):
            file.write_text(text)
    return status


def recorded(place: Place, clones: Path, wheels: Path) -> dict[str, Any]:
    """A place as JSON, with its keys."""
    text_of = reader(place.origin, clones, wheels)
    keys = read_keys(place.code, text_of).without(frozenset(place.without.split()))
    known = {"origin": str(place.origin), "code": place.code, "file": place.file}
    lists = {"others": [*keys.others], "flags": [*keys.flags]}
    return known | {"text": place.text, "defaults": keys.defaults} | lists


def written(places: list[dict[str, Any]]) -> str:
    """The places as lines of JSON that can be compared."""
    lines = []
    for place in places:
        fields = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in place.items()]
        lines.append(" {\n" + ",\n".join(fields) + "\n }")
    return "[\n" + ",\n".join(lines) + "\n]\n"


def reader(
    origin: Package | Repository, clones: Path = Path(), wheels: Path = Path()
) -> Callable[[str], str]:
    """What reads the text of a file of a package or a repository."""
    if isinstance(origin, Repository):
        return partial(_of_clone, origin, clones)
    try:
        installed = distribution(origin.name)
        if installed.version.partition("+")[0] == origin.version:
            return lambda path: Path(str(installed.locate_file(path))).read_text()
    except PackageNotFoundError:
        pass
    return partial(_of_archive, _archive(origin, wheels))


def _of_clone(origin: Repository, clones: Path, path: str) -> str:
    clone = clones / origin.name.rpartition("/")[2]
    if (file := clone / path).is_file():
        return file.read_text()
    if not clone.exists():
        address = f"https://github.com/{origin.name}"
        command = ["git", "clone", "--quiet", "--no-checkout", "--filter=blob:none", address]
        subprocess.run([*command, str(clone)], check=True)
    command = ["git", "-C", str(clone), "show", f"{origin.commit}:{path}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@cache
def _archive(origin: Package, wheels: Path) -> Path:
    """The wheel of a package, or its source if there is none."""
    pattern = f"{origin.name.replace('-', '_')}-{origin.version}*"
    if not list(wheels.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d"]
        pinned = f"{origin.name}=={origin.version}"
        subprocess.run([*command, str(wheels), pinned], check=True)
    return next(wheels.glob(pattern))


def _of_archive(archive: Path, path: str) -> str:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(path).decode()
    with tarfile.open(archive) as source:
        folder = archive.name.removesuffix(".tar.gz")
        file = source.extractfile(f"{folder}/{path}")
        assert file is not None
        return file.read().decode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
