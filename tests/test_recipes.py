"""The recipes that come with olm: listed, shown and copied by their names."""

from pathlib import Path

import pytest

import olm
from olm.cli import FINE, MISUSE, NOTHING_MATCHED, main
from olm.spec.recipes import GROUPS, recipes

SPECS = Path(__file__).parents[1] / "specs"


def test_every_recipe_is_in_one_group():
    named = [name for names in GROUPS.values() for name in names.split()]
    assert sorted(named) == sorted(
        path.name[: -len(".olm.yaml")] for path in SPECS.glob("*.olm.yaml")
    )
    assert len({*named}) == len(named)


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("llama-2", {"llama-2-7b", "llama-2-70b"}),
        ("CyclicLR", {"clr-cifar10"}),
        ("speech", {"wav2vec2-base", "whisper-large"}),
        ("bert-base", {"bert-base"}),
    ],
)
def test_a_word_finds_names_groups_and_texts(word, names, capsys):
    assert main(["recipes", word]) == FINE
    listed = capsys.readouterr().out
    assert all(f"  {name} " in listed for name in names)
    assert ("roberta" in listed) is False


def test_a_word_that_no_recipe_has_is_told(capsys):
    assert main(["recipes", "xyzzy"]) == NOTHING_MATCHED
    assert capsys.readouterr().err == "olm recipes: no recipe has xyzzy\n"


def test_a_recipe_is_shown_by_its_name_unless_there_is_such_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["show", "llama-2-7b"]) == FINE
    assert "WarmupCosineScheduler" in capsys.readouterr().out
    Path("llama-2-7b").write_text("kind: HoldLR\n")
    assert main(["show", "llama-2-7b"]) == FINE
    assert "HoldLR" in capsys.readouterr().out


@pytest.mark.parametrize("name", [*recipes()])
def test_a_copy_is_the_recipe(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "--from", name, "--out", "a.olm.yaml"]) == FINE
    assert capsys.readouterr().out == "wrote a.olm.yaml\n"
    assert olm.load("a.olm.yaml") == olm.load(recipes()[name].path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "lama-2-7b"], "there is no recipe lama-2-7b: did you mean llama-2-7b?"),
        (["LinearLR", "--from", "t5"], "--from copies a recipe as it is, without kind"),
    ],
)
def test_a_recipe_that_cannot_be_copied_is_an_error(arguments, message, capsys):
    assert main(["new", *arguments]) == MISUSE
    assert capsys.readouterr().err == f"olm new: {message}\n"
