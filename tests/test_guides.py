"""The guides that `olm explain` prints: their shape, their links, and code that runs."""

import re
from pathlib import Path

import pytest

import code_blocks
import olm.checking.guides
from olm.checking.guides import GUIDES, guide, guides
from olm.checking.pages import codes
from olm.cli import FINE, main

LINK = re.compile(r"\[[^\]]+\]\(([a-z0-9-]+\.md)\)")
HERE = [name for name in guides() if not guide(name).environment]


def test_a_guide_and_a_code_never_share_a_name():
    assert not {*guides()} & {*codes()}


@pytest.mark.parametrize("name", HERE)
def test_the_code_of_a_guide_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code_blocks.skip_without_torch(guide(name).text)
    code_blocks.run(guide(name).text, tmp_path, f"{name}.md")


def test_a_guide_runs_here_or_where_the_trainers_are():
    assert {guide(name).environment for name in guides()} <= {"", "hosts"}


@pytest.mark.parametrize("name", guides())
def test_links_lead_to_guides(name):
    assert {*LINK.findall(guide(name).text)} <= {f"{name}.md" for name in guides()}


@pytest.mark.parametrize("name", guides())
def test_explain_prints_a_guide_without_its_markup(name, capsys):
    assert main(["explain", name]) == FINE
    out = capsys.readouterr().out
    assert out.startswith(f"{name}: {guide(name).title}\n\n")
    assert "\n```" not in out
    assert "<!--" not in out
    assert ".md)" not in out


@pytest.mark.parametrize(
    "text",
    [
        "# other: a title\n\nText.\n",
        "# mine a title\n\nText.\n",
        "# mine: a title\nText.\n",
        "Text.\n",
    ],
)
def test_a_guide_of_another_shape_is_refused(text, tmp_path, monkeypatch):
    (tmp_path / "mine.md").write_text(text)
    monkeypatch.setattr(olm.checking.guides, "GUIDES", tmp_path)
    with pytest.raises(ValueError, match="the guide `mine` must begin with `# mine: ` and its"):
        guide("mine")


def test_there_is_no_guide_without_a_page():
    with pytest.raises(KeyError, match="no-such-guide"):
        guide("no-such-guide")


PAGE = """\
```yaml
# run.olm.yaml
kind: HoldLR
```

```console
$ olm check run.olm.yaml
1 file is fine
```

```python
# add.py
print(1 + 1)
```

```console
$ python add.py
2
```

```python
x = 3
```

```python
>>> x
3
```
"""


def test_a_page_that_is_right_passes(tmp_path):
    code_blocks.run(PAGE, tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1 file is", "2 files are"),
        ("\n2\n", "\n3\n"),
        (">>> x\n3", ">>> x\n4"),
        ("x = 3", "x = 4"),
        ("kind: HoldLR", "kind: NoLR"),
        ("kind: HoldLR", "mistakes: ]["),
        ("olm check run", "olm check none"),
        ("$ python", "$ no-such-program"),
        ("```python\nx", "```rust\nx"),
    ],
)
def test_a_page_that_is_wrong_fails(old, new, tmp_path):
    assert old in PAGE
    with pytest.raises(Exception):  # noqa: B017, PT011 Whatever it is that fails.
        code_blocks.run(PAGE.replace(old, new), tmp_path)


def test_every_page_ends_with_one_line_break():
    for path in Path(GUIDES).glob("*.md"):
        assert re.search(r"[^\n]\n\Z", path.read_text(encoding="utf-8")), path.name
