"""A name that another framework has for a schedule leads to the right kind, never to a near one."""

import json
from pathlib import Path

import pytest

import olm
from olm.checking.fix import fixed_text
from olm.cli import main
from olm.cli.plugins import model_of
from olm.fields.foreign_kinds import foreign_kind, readable, reading
from olm.fields.nicknames import FRAMEWORKS, NICKNAMES, OF_TORCH, SURE, difference, key
from olm.fields.reproduced import reproduced
from olm.kinds import KINDS
from olm.problem import SpecError

COMMON = [
    "constant",
    "constant_with_warmup",
    "cosine",
    "cosine_with_restarts",
    "cosine_with_min_lr",
    "linear",
    "polynomial",
    "inverse_sqrt",
    "wsd",
    "warmup_stable_decay",
    "reduce_lr_on_plateau",
    "get_constant_schedule",
    "get_constant_schedule_with_warmup",
    "get_cosine_schedule_with_warmup",
    "get_linear_schedule_with_warmup",
    "get_polynomial_decay_schedule_with_warmup",
    "get_cosine_with_hard_restarts_schedule_with_warmup",
    "get_inverse_sqrt_schedule",
    "get_wsd_schedule",
    "CosineLR",
    "CosineLRScheduler",
    "StepLRScheduler",
    "PolyLRScheduler",
    "TanhLRScheduler",
    "plateau",
    "step",
    "multistep",
    "onecycle",
    "OneCycle",
    "noam",
    "WSD",
    "CosWithWarmup",
    "CosineDecay",
    "ExponentialDecay",
    "PolynomialDecay",
    "cosine_decay_schedule",
    "warmup_cosine_decay_schedule",
    "exponential_decay",
    "piecewise_constant_schedule",
    "linear_schedule",
    "LambdaLR",
    "tri_stage",
    "PolyLR",
    "torch.optim.lr_scheduler.StepLR",
    "timm.scheduler.CosineLRScheduler",
]
"""Names that people write, of schedules of other frameworks."""


def problem_of(kind):
    with pytest.raises(SpecError) as caught:
        olm.parse({"kind": kind})
    return caught.value.problems[0]


@pytest.mark.parametrize("name", COMMON)
def test_a_common_name_has_a_hint_and_is_never_fixed_by_its_spelling(name):
    problem = problem_of(name)
    assert problem.hint.startswith("did you mean `")
    assert ", as in " in problem.hint
    assert "plugin" not in problem.hint
    sure = {*SURE, *(f"torch.optim.lr_scheduler.{torch}" for torch in OF_TORCH)}
    assert (problem.fix is not None) == (name in sure)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("constant", "did you mean `HoldLR`, as in transformers?"),
        (
            "cosine",
            "did you mean `WarmupDecayLR` with `decay: cosine`, as in transformers; "
            "or `CosineAnnealingLR`, as in torch?",
        ),
        (
            "constant_with_warmup",
            "did you mean `RampLR` with `start_factor: 0` and `end_factor: 1`, as in transformers?",
        ),
        ("torch.optim.lr_scheduler.LinearLR", "did you mean `LinearFactorLR`, as in torch?"),
        ("torch.optim.lr_scheduler.Nothing", "`olm kinds` lists them"),
    ],
)
def test_a_hint_names_the_kind_and_the_framework(name, hint):
    assert problem_of(name).hint == hint
    assert model_of(name, str).endswith(f": {hint}")


def test_the_kinds_of_the_tables_exist():
    named = {peer.kind for peers in NICKNAMES.values() for peer in peers}
    assert {*named, *SURE.values(), *OF_TORCH.values()} <= {*KINDS}
    assert all(name == key(name) for name in NICKNAMES)


def test_a_kind_in_other_letters_is_still_a_misspelt_kind():
    assert foreign_kind("steplr", KINDS) is None
    assert problem_of("steplr").fix.text == "StepLR"


def test_a_fix_writes_the_kind_that_holds_the_base_rate():
    assert fixed_text(b"kind: constant\n", "a.olm.yaml") == (b"kind: HoldLR\n", 1)


@pytest.mark.parametrize("name", ["cosine_decay_schedule", "linear", "CosineLR", "plateau"])
def test_a_name_that_is_not_sure_is_left(name):
    data = f"kind: {name}\ntotal_steps: 9\n".encode()
    assert fixed_text(data, "a.olm.yaml") == (data, 0)


NAMES = sorted(
    (name, distribution)
    for name, distribution in {
        (name, distribution)
        for peers in reproduced().values()
        for distribution, names in peers.items()
        for name in names
    }
)
"""Every schedule of every framework that the tests compare, with its distribution."""


@pytest.mark.parametrize(("name", "distribution"), NAMES)
def test_every_schedule_of_every_framework_leads_to_a_kind_that_reproduces_it(name, distribution):
    kinds = [kind for kind, peers in reproduced().items() if name in peers.get(distribution, ())]
    if name in KINDS:
        assert name in kinds or difference(name)
        return
    hint, fix = foreign_kind(name, KINDS)
    assert any(f"`{kind}`" in hint for kind in kinds)
    assert FRAMEWORKS.get(distribution, distribution).lower() in hint.lower()
    assert fix is None or name in SURE
    assert problem_of(name).fix == fix
    assert model_of(name, str).endswith(f": {hint}")


EVERYDAY = {
    "constant": ["HoldLR"],
    "constant_with_warmup": ["RampLR"],
    "cosine": ["WarmupDecayLR", "CosineAnnealingLR"],
    "inverse_sqrt": ["InverseSqrtLR"],
    "linear": ["WarmupDecayLR", "LinearFactorLR"],
    "noam": ["NoamLR"],
    "onecycle": ["OneCycleLR", "SequentialLR"],
    "plateau": ["ReduceLROnPlateau"],
    "polynomial": ["WarmupDecayLR", "PolynomialLR"],
    "wsd": ["WarmupStableDecayLR"],
}


@pytest.mark.parametrize("word", EVERYDAY)
def test_an_everyday_word_leads_to_the_kinds_of_the_frameworks(word, capsys):
    hint = problem_of(word).hint
    assert [kind for kind in EVERYDAY[word] if f"`{kind}`" in hint] == EVERYDAY[word]
    assert (problem_of(word).fix is not None) == (word in SURE)
    assert main(["kinds", word]) == 2
    assert capsys.readouterr().err == f"olm kinds: there is no kind `{word}`: {hint}\n"


ONE_SCHEDULE = {
    "constant": "HoldLR",
    "constant_with_warmup": "RampLR",
    "noam": "NoamLR",
    "plateau": "ReduceLROnPlateau",
}
"""The everyday words that mean the same schedule in every framework."""


@pytest.mark.parametrize("word", EVERYDAY)
def test_a_spec_of_an_everyday_word_is_written_if_frameworks_do_not_differ(word, capsys):
    status = main(["new", word])
    out, err = capsys.readouterr()
    if word not in ONE_SCHEDULE:
        named = [f"`olm new {name}`" for name in readable(word)]
        assert (status, out) == (2, "")
        assert named
        assert all(name in err for name in named)
        return
    assert status == 0
    assert err.startswith(f"olm new: `{word}` in ")
    assert olm.loads(out).schedule.kind == ONE_SCHEDULE[word]


@pytest.mark.parametrize("word", EVERYDAY)
def test_a_framework_before_a_word_chooses_its_schedule(word, capsys):
    for name in readable(word):
        peer, fields = reading(name)
        assert main(["new", name]) == 0
        schedule = olm.loads(capsys.readouterr().out).schedule
        assert schedule.kind == peer.kind in EVERYDAY[word]
        assert {field: getattr(schedule, field) for field in fields} == fields


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("LinearLR", "torch's LinearLR is `LinearFactorLR` here"),
        ("WarmupLR", "warm-up is logarithmic unless warmup_type is `linear`"),
        ("WarmupDecayLR", "warm-up is logarithmic unless warmup_type is `linear`"),
        ("PolynomialLR", "ColossalAI's PolynomialLR is a `RampLR`"),
    ],
)
def test_a_kind_with_the_name_of_a_different_schedule_has_the_difference(kind, words, capsys):
    assert main(["kinds", kind]) == 0
    assert words in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("word", ["cosine_anealing", "constnat", "WarmupCosineSchedule", "cosin"])
def test_a_word_that_is_almost_another_frameworks_has_no_fix(word):
    assert problem_of(word).fix is None
    assert fixed_text(f"kind: {word}\n".encode(), "a.olm.yaml")[1] == 0


def test_a_class_of_olm_is_fixed_to_its_kind():
    assert problem_of("olm.train.schedulers.LinearLR").fix.text == "LinearLR"


CURVES = {
    path.stem: json.loads(path.read_text())["rows"]
    for path in (Path(__file__).parent / "peers").glob("*.json")
}


@pytest.mark.parametrize(
    "name", [*SURE, *(f"torch.optim.lr_scheduler.{name}" for name in OF_TORCH)]
)
def test_the_kind_that_a_fix_writes_has_the_curve_of_the_peer(name):
    kind, torch = problem_of(name).fix.text, name.rpartition(".")[2]
    assert kind == (SURE.get(name) or OF_TORCH[torch])
    if kind == "ReduceLROnPlateau":
        return
    calls = (torch, "get_constant_schedule", "constant_schedule")
    rows = [*CURVES["torch"], *CURVES["transformers"], *CURVES["optax"]]
    own = [row for row in rows if row["peer"].partition("(")[0] in calls]
    same = [row for row in own if row["olm"]["kind"] == kind]
    assert same
    row = same[0]
    rates = olm.parse(row["olm"]).lr(row["steps"], row["base_lr"])
    assert rates == pytest.approx(row["values"], rel=1e-12, abs=1e-15)
