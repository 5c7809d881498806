"""Pages that follow from the kinds, the peers, the guides and the codes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compare import Compared, all_compared, kinds_in, schedule_of
from environment import ROOT
from markers import between

if TYPE_CHECKING:
    from olm.schedule.schedule import Schedule

KINDS_PAGE = ROOT / "specs" / "kinds" / "README.md"
TOPICS_PAGE = ROOT / "olm" / "checking" / "README.md"
GUIDES = ROOT / "olm" / "checking" / "guides"

KINDS_HEAD = """\
# Kinds

A spec's `kind` is one of these. Each links to a commented spec; `olm kinds KIND` prints its fields,
formula and source. The guide `olm explain choosing-a-kind` compares them.

Written by tools/generate.py from the kinds.
"""

PEERS_HEAD = """
## Libraries that the rates are compared with

Each line is a library at the version whose own code computed the curves in `tests/peers/`, next to
the equivalent specs. olm's rates equal them within the allowed relative difference, at every step,
also beyond the end of the schedule. "Where olm differs" counts configurations in which the library
misbehaves, such as a rate that rises again after the end, or rounds a length differently; the file
says what olm does instead. `python3 tools/compare.py` prints the largest difference of each.
"""

TOPICS_HEAD = """\
# What `olm explain` prints

`olm explain TOPIC` prints each of these pages; `olm explain` lists them.

Written by tools/generate.py from the guides and the codes.
"""

EXAMPLES = 3
"""How many specs a guide shows for a peer's schedule, at most."""


def kinds_page() -> dict[Path, str]:
    """The table of kinds, and that of the peers they are compared with."""
    return {KINDS_PAGE: f"{KINDS_HEAD}\n{_kinds()}\n{PEERS_HEAD}\n{_peers()}\n"}


def _kinds() -> str:
    from olm.kinds import GROUPS, KINDS

    rows = ["| kind | what it is | fields |", "| --- | --- | --- |"]
    for group in GROUPS:
        rows.append(f"| **{group}** | | |")
        rows += (_kind(kind, model) for kind, model in KINDS.items() if model.group == group)
    return "\n".join(rows)


def _kind(kind: str, model: type[Schedule]) -> str:
    from olm.schema.documentation import fields, summary

    names = ", ".join(f"`{field.name}`" for field in fields(model))
    return f"| [`{kind}`]({kind}.olm.yaml) | {summary(model)} | {names} |".replace("``", "`")


def _peers() -> str:
    rows = ["| library | version | configurations | allowed difference | where olm differs |"]
    rows.append("| --- | --- | --- | --- | --- |")
    for peer in all_compared():
        allowed = f"{peer.tolerance:.0e}" if peer.tolerance else "none"
        counts = (len(peer.configurations), allowed, len(peer.wrong))
        rows.append(f"| {peer.peer} | {peer.version} | {' | '.join(map(str, counts))} |")
    return "\n".join(rows)


def topics_page() -> dict[Path, str]:
    """The list of the guides and the codes."""
    from olm.checking.guides import guide, guides
    from olm.checking.pages import codes, page

    pages = [page(code) for code in codes()]
    rows = {
        "Guides": [(name, f"guides/{name}.md", guide(name).title) for name in guides()],
        "Errors": [
            (each.code, f"pages/{each.code}.md", each.title)
            for each in pages
            if each.severity == "error"
        ],
        "Warnings": [
            (each.code, _lint(each.code), each.title) for each in pages if each.severity != "error"
        ],
    }
    parts = [
        "\n".join([f"## {heading}\n", *(f"- [{n}]({path}): {title}" for n, path, title in topics)])
        for heading, topics in rows.items()
    ]
    return {TOPICS_PAGE: "\n\n".join([TOPICS_HEAD.rstrip(), *parts]) + "\n"}


def _lint(code: str) -> str:
    (path,) = (TOPICS_PAGE.parent / "lint").glob(f"*/{code.replace('-', '_')}.py")
    return path.relative_to(TOPICS_PAGE.parent).as_posix()


def peer_guides() -> dict[Path, str]:
    """The guides that translate a library's schedules: `from-timm.md` for tests/peers/timm.json."""
    paths = {GUIDES / f"from-{peer.file}.md": peer for peer in all_compared()}
    return {path: _translated(path, peer) for path, peer in paths.items() if path.exists()}


def _translated(path: Path, peer: Compared) -> str:
    rows = sorted(peer.rows + peer.refused, key=_name)
    schedules = [_translation(name, list(of)) for name, of in groupby(rows, _name)]
    text = between("schedules", "\n\n".join(schedules), path.read_text(encoding="utf-8"))
    return between("words", _words(peer.file), text)


def _words(framework: str) -> str:
    """A library's names of fields, and what `olm check --fix` makes of them."""
    from olm.fields.synonyms import WORDS

    names = {name.casefold(): name for name in WORDS}
    rows = ["| name there | field here | value there |", "| --- | --- | --- |"]
    for word, sense in WORDS[names[framework]].items():
        fields = ", ".join(f"`{field}`" for field in sense.fields)
        rows.append(f"| `{word}` | {fields} | {sense.measure} |".replace("  ", " "))
    return "\n".join(rows)


def _name(row: dict[str, Any]) -> str:
    return schedule_of(row["peer"])


def _translation(name: str, rows: list[dict[str, Any]]) -> str:
    """A schedule of the peer's: some of its configurations as specs, and where olm differs."""
    parts = [f"### {name}"]
    for row in _examples(rows):
        parts.append(f"`{row['peer']}` is\n\n```yaml\n{_yaml(row['olm'])}```")
    differences = dict.fromkeys(row["instead"] for row in rows if "instead" in row)
    if differences:
        parts.append("\n".join(["Differences:\n", *(f"- {each}." for each in differences)]))
    return "\n\n".join(parts)


def _examples(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Of the configurations that agree, one with many fields for each composition of kinds."""
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if "instead" not in row:
            found.setdefault(tuple(dict.fromkeys(kinds_in(row["olm"]))), []).append(row)
    for same in list(found.values())[:EXAMPLES]:
        yield max(same, key=lambda row: len(row["olm"]))


def _yaml(spec: dict[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(spec, sort_keys=False, width=96)
    return text


def imports_guide() -> dict[Path, str]:
    """The guide on imports and exports, with the formats that were tried, and the targets."""
    path = GUIDES / "importing.md"
    page = between("formats", _formats(), path.read_text(encoding="utf-8"))
    return {path: between("targets", _targets(), page)}


def _targets() -> str:
    from olm.foreign.exports._targets import targets

    head = ["| target | what is written | needs a base rate | numbers of `optimizer` |"]
    head.append("| --- | --- | --- | --- |")
    rows = []
    for name, target in sorted(targets().items()):
        flags = [target.needs_base, target.has_optimizer]
        rows.append(" | ".join([f"| {name} | {target.title}", *map(_yes, flags)]) + " |")
    return "\n".join(head + rows)


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _formats() -> str:
    from imports_tried import tried
    from olm.foreign.configs._formats import formats

    titles = ["format", "framework", "recognised by", "keys", "tried", "refused", "difference"]
    rows = [f"| {' | '.join(row)} |" for row in (titles, ["---"] * len(titles))]
    for name, form in sorted(formats().items()):
        found = tried(name)
        about = f"{name} | {form.title}, {form.version} | {form.marks}"
        counts = f"{found.keys} | {found.exact + found.refused.total()}"
        codes = [f"{code} {count}" for code, count in sorted(found.refused.items())]
        keys = [f"`{key}`" for key in sorted(form.keys.refused)]
        rows.append(f"| {about} | {counts} | {', '.join(codes + keys)} | {found.bound} |")
    return "\n".join(rows)
