"""The gallery: specs/README.md with a picture of every recipe."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from environment import ROOT

if TYPE_CHECKING:
    from olm.spec.recipes import Recipe

SPECS = ROOT / "specs"
HEAD = """\
# Recipes

Schedules that papers, model cards and repositories report, each as a spec. The comment in a spec
gives the source of its numbers and how they were computed. Copy one, or look at it:
`olm show bert-base`, `olm new --from bert-base`.

The [folder of kinds](kinds) has a commented spec of every kind, and tables of the kinds and of the
libraries that they are compared with.

Written by tools/generate.py from the specs.
"""


def gallery() -> dict[Path, str]:
    """The page and its pictures, by path."""
    from olm.spec.recipes import GROUPS

    groups = [group for group in GROUPS if _members(group)]
    pictures = {
        SPECS / "pictures" / f"{one.name}.svg": _picture(one.path)
        for group in groups
        for one in _members(group)
    }
    contents = [f"- [{group}](#{_anchor(group)}): {_links(group)}" for group in groups]
    page = [HEAD, *contents, ""]
    for group in groups:
        page += [f"## {group}", "", *map(_entry, _members(group))]
    return {SPECS / "README.md": "\n".join(page), **pictures}


def _members(group: str) -> list[Recipe]:
    from olm.spec.recipes import recipes

    return [one for one in recipes().values() if one.group == group and one.path.exists()]


def _links(group: str) -> str:
    return ", ".join(f"[{one.title}](#{_anchor(one.title)})" for one in _members(group))


def _anchor(heading: str) -> str:
    """The anchor that GitHub gives to a heading.

    >>> _anchor("Llama 2, 7B"), _anchor("GPT-2 (124M) as llm.c trains it")
    ('llama-2-7b', 'gpt-2-124m-as-llmc-trains-it')
    """
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _entry(recipe: Recipe) -> str:
    title, *source = recipe.comment
    name = recipe.name
    picture = f'<img src="pictures/{name}.svg" width="480" alt="the rates of {name}">'
    spec = "\n".join(recipe.text.splitlines()[1 + len(recipe.comment) :])
    return f"""\
### {title.removesuffix(".")}

{picture}

{" ".join(source)}

<details><summary><a href="{name}.olm.yaml">{name}.olm.yaml</a></summary>

```yaml
{spec}
```

</details>
"""


def _picture(path: Path) -> str:
    """The picture that `olm show --svg` draws."""
    from olm.cli import main

    with TemporaryDirectory() as folder:
        out = Path(folder) / "picture.svg"
        if main(["show", str(path), "--svg", str(out)]):
            raise SystemExit(f"{path} has no picture")
        return out.read_text(encoding="utf-8")
