"""Write the files that follow from the kinds: schemas, specs, stubs, the gallery, pages, tables.

    python3 tools/generate.py            write stale files, delete those of removed kinds
    python3 tools/generate.py --check    write nothing, list stale files

The exit status of --check is 0 if nothing is stale, otherwise 1. Run it
after every change of a kind (fields, docstrings, examples), and commit the files with the change.
"""

import argparse
import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from compare import all_compared, kinds_in, schedule_of
from environment import ROOT, enter
from gallery import gallery
from pages import imports_guide, kinds_page, peer_guides, topics_page
from repository import addressed
from stubs import stubs, tidy

if TYPE_CHECKING:
    from olm.schedule.schedule import Schedule

COMMAND = "python3 tools/generate.py"

OWNED = ("schemas/*.schema.json", "specs/kinds/*", "specs/pictures/*")
"""The files that are all generated."""

FAMILIES = '''\
"""Which file of `olm.kinds` each kind is in. Written by tools/generate.py from those files."""

FAMILIES: dict[str, str] = {table!r}
'''


def schemas() -> dict[Path, str]:
    """The JSON Schema of any schedule, and one for each kind."""
    from olm.kinds import KINDS
    from olm.schema.json_schema import kind_schema, schedules_schema, text_of

    made = {"schedule": schedules_schema(KINDS)}
    made |= {kind: kind_schema(kind, KINDS) for kind in KINDS}
    return {
        ROOT / "schemas" / f"{name}.schema.json": text_of(schema) for name, schema in made.items()
    }


def families() -> dict[Path, str]:
    """The table that finds a kind without importing the others."""
    from olm.kinds import KINDS

    table = {kind: model.__module__.rpartition(".")[2] for kind, model in KINDS.items()}
    text = FAMILIES.format(table=table)
    return {ROOT / "olm" / "schedule" / "families.py": tidy(text, "olm/schedule/families.py")}


def specs() -> dict[Path, str]:
    """A spec of each kind to copy: its last example, with the docstrings of the fields."""
    from olm.kinds import KINDS

    return {
        ROOT / "specs" / "kinds" / f"{kind}.olm.yaml": _spec(kind, model)
        for kind, model in KINDS.items()
    }


def _spec(kind: str, model: "type[Schedule]") -> str:
    import yaml

    from olm.schema.documentation import field_docs, plain, summary

    docs = field_docs(model)
    lines = [
        "# yaml-language-server: $schema=../../schemas/schedule.schema.json",
        f"# {plain(summary(model))}",
        f"# Written by tools/generate.py from {model.__module__.replace('.', '/')}.py.",
        f"kind: {kind}",
    ]
    for name, value in model.examples[-1].items():
        lines += (f"# {line}" for line in wrap(plain(docs[name]), 96))
        lines.append(yaml.safe_dump({name: value}, sort_keys=False, width=96).rstrip())
    return "\n".join(lines) + "\n"


def reproduced() -> dict[Path, str]:
    """For `olm kinds KIND`: the peers' schedules that a spec with the kind reproduces."""
    found: dict[str, dict[str, set[str]]] = {}
    for peer in all_compared():
        for row in peer.rows:
            if "instead" not in row:
                for kind in kinds_in(row["olm"]):
                    names = found.setdefault(kind, {}).setdefault(peer.peer, set())
                    names.add(schedule_of(row["peer"]))
    table = {
        kind: {peer: sorted(names) for peer, names in sorted(peers.items())}
        for kind, peers in sorted(found.items())
    }
    return {ROOT / "olm" / "fields" / "reproduced.json": json.dumps(table, indent=1) + "\n"}


GENERATORS: list[Callable[[], dict[Path, str]]] = [
    schemas,
    families,
    specs,
    stubs,
    reproduced,
    gallery,
    kinds_page,
    peer_guides,
    imports_guide,
    topics_page,
]
"""The generators: each returns the whole text of files, by path."""


def main(args: list[str]) -> int:
    """Write or check all files, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing, list stale files")
    check = parser.parse_args(args).check
    if find_spec("matplotlib") is None:
        enter()
    # The kinds of this folder, even if another olm is installed.
    sys.path.insert(0, str(ROOT))
    stale = _stale()
    for path, text in stale.items():
        _report(path, text) if check else _update(path, text)
    return 1 if check and stale else 0


def _stale() -> dict[Path, str | None]:
    """The files that differ, with their correct text; None for those to delete."""
    texts = {path: text for generate in GENERATORS for path, text in generate().items()}
    texts |= addressed(texts)
    surplus = sorted({path for pattern in OWNED for path in ROOT.glob(pattern)} - set(texts))
    stale = {path: text for path, text in texts.items() if not _has(path, text)}
    return {**stale, **dict.fromkeys(surplus)}


def _has(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _report(path: Path, text: str | None) -> None:
    name = path.relative_to(ROOT)
    if text is None:
        print(f"{name} belongs to no kind: `{COMMAND}` deletes it")
    else:
        print(f"{name} is {'stale' if path.exists() else 'missing'}: `{COMMAND}` writes it")


def _update(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    print(f"{'deleted' if text is None else 'wrote'} {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
