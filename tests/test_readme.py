"""The documentation: its examples run, and it has every kind, field, verb, code and guide."""

import re
from pathlib import Path

import pytest

import code_blocks
from olm.checking.guides import guides
from olm.checking.pages import codes
from olm.cli import verb_modules
from olm.kinds import KINDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
KINDS_PAGE = (ROOT / "specs" / "kinds" / "README.md").read_text(encoding="utf-8")
TOPICS_PAGE = (ROOT / "olm" / "checking" / "README.md").read_text(encoding="utf-8")
PAGES = [
    path
    for pattern in ("README.md", "specs/**/README.md", "olm/**/*.md", "tools/*.md")
    for path in sorted(ROOT.glob(pattern))
]
LINK = re.compile(r"\]\(([^)#:]+)\)|(?:src|srcset)=\"([^\"]+)\"")


def test_the_code_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code_blocks.skip_without_torch(README)
    code_blocks.repository(tmp_path)
    code_blocks.run(README, tmp_path, "README.md")


def test_the_readme_stays_short():
    assert len(README.encode()) < 11_000


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_pictures_lead_to_files(page):
    targets = ["".join(groups) for groups in LINK.findall(page.read_text(encoding="utf-8"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_and_each_of_its_fields_is_in_the_table(kind):
    (row,) = re.findall(rf"^\| \[`{kind}`\].*$", KINDS_PAGE, re.MULTILINE)
    assert all(f"`{field}`" in row for field in KINDS[kind].model_fields if field != "kind")


def test_every_verb_is_mentioned():
    assert [verb for verb in verb_modules() if f"olm {verb}" not in README] == []


def test_every_guide_is_mentioned_in_the_readme_or_the_list_of_topics():
    pages = TOPICS_PAGE + README
    assert [name for name in guides() if f"[{name}](guides/{name}.md)" not in pages] == []


def test_every_code_is_in_the_list_of_topics():
    assert [code for code in codes() if f"\n- [{code}](" not in TOPICS_PAGE] == []


def test_every_public_function_is_mentioned():
    text = README + "".join(path.read_text(encoding="utf-8") for path in PAGES)
    names = ("load", "parse", "build", "save_state", "multiplier", "train.param_groups")
    assert [name for name in names if f"olm.{name}" not in text] == []


def test_the_picture_is_there_for_light_and_dark_pages():
    (picture,) = re.findall(r"specs/pictures/[\w.-]+\.svg", README)
    assert "prefers-color-scheme:dark" in (ROOT / picture).read_text(encoding="utf-8")
