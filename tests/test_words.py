"""Other frameworks' words: that each leads to a field which is there, and what is said of it."""

import ast
import copy
import json
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import olm
from olm.checking.fix import fixed_text
from olm.fields.durations import duration
from olm.fields.quantities import (
    EPOCHS,
    EPOCHS_OR_STEPS,
    LENGTHS,
    OF_THE_RUN,
    RATE,
    SAMPLES,
    STEP_LIST,
    STEPS,
    TIME,
    in_ours,
    measure_of,
    percent,
)
from olm.fields.suggestions import certain, meaning, meant
from olm.fields.synonyms import AMBIGUOUS, FOREIGN, OF_MOMENTUM, OF_THE_OPTIMIZER, PROVEN, WORDS
from olm.fields.types import FactorNumber, Length, Listed, PositiveSteps, step_fields
from olm.kinds import KINDS

FIELDS = {name: field for model in KINDS.values() for name, field in model.model_fields.items()}


def only(name):
    """A field of a kind, as if the kind had no other."""
    return {name: FIELDS[name]}


@pytest.mark.parametrize("word", FOREIGN)
def test_a_word_leads_to_a_field_of_a_kind(word):
    _, sense = FOREIGN[word]
    assert set(sense.fields) <= {*FIELDS}
    assert set(sense.fields) - {word}


def test_a_word_is_listed_under_one_framework():
    assert len(FOREIGN) == sum(len(words) for words in WORDS.values())


def test_what_sort_of_value_a_field_has_is_known_where_others_have_another():
    measured = {name for _, sense in FOREIGN.values() if sense.measure for name in sense.fields}
    for model in KINDS.values():
        assert all(
            measure_of(model.model_fields[name]) for name in measured & {*model.model_fields}
        )


@pytest.mark.parametrize("model", KINDS.values(), ids=KINDS)
def test_what_sort_of_value_a_field_has_follows_from_its_type(model):
    measures = {name: measure_of(field) for name, field in model.model_fields.items()}
    in_steps = {name for name in measures if measures[name] in (STEPS, STEP_LIST, LENGTHS)}
    assert in_steps == {*step_fields(model)}
    assert all((measures[name] == RATE) == name.endswith(("_lr", "eta_min")) for name in measures)


def test_a_value_for_a_plugins_field_is_translated_by_the_type_of_the_field():
    class Model(BaseModel):
        lengths: Annotated[Listed[PositiveSteps], Length(2)]
        end_factor: Annotated[float, FactorNumber(0.0, 1.0)] = 0.0

    assert meaning("phase_ratio", Model.model_fields, value=[0.1, 0.9]) == (
        "did you mean `lengths: [10%, 90%]`? "
        "`phase_ratio` in fairseq is a list of shares of the run"
    )
    assert meaning("eta_min", Model.model_fields, value=0.1) == (
        "did you mean `end_factor`? It is a share of the base rate; `eta_min` in torch is a rate"
    )


@pytest.mark.parametrize(
    ("kind", "word", "said"),
    [
        (
            "WarmupDecayLR",
            "lr_decay_style",
            "did you mean `decay`? Megatron calls it lr_decay_style",
        ),
        ("WarmupLR", "lr_decay_style", "did you mean `kind`? Megatron calls it lr_decay_style"),
        ("StepLR", "decay_rate", "did you mean `gamma`? timm calls it decay_rate"),
        ("ReduceLROnPlateau", "decay_rate", "did you mean `factor`? timm calls it decay_rate"),
        ("RepeatLR", "t_mul", "did you mean `growth`? Keras calls it t_mul"),
        ("CosineAnnealingWarmRestarts", "t_mul", "did you mean `T_mult`? Keras calls it t_mul"),
        ("RampLR", "end_value", "did you mean `end_lr`? optax calls it end_value"),
        (
            "RexLR",
            "end_value",
            "did you mean `end_factor`? It is a share of the base rate; "
            "`end_value` in optax is a rate",
        ),
        (
            "LinearLR",
            "end_factor",
            "did you mean `end_lr`? It is a rate; "
            "`end_factor` in torch is a share of the base rate",
        ),
        (
            "WarmupStableDecayLR",
            "decay_fraction",
            "did you mean `decay_steps`? It is a number of steps; "
            "`decay_fraction` in OLMo-core is a share of the run",
        ),
        (
            "TableLR",
            "values",
            "did you mean `factors`? It is a list of shares of the base rate; "
            "`values` in Keras is a list of rates",
        ),
        (
            "PhasesLR",
            "milestones",
            "did you mean `lengths`? It is a list of lengths; "
            "`milestones` in torch is a list of steps",
        ),
        ("OneCycleLR", "peak_value", "did you mean `max_lr`? optax calls it peak_value"),
        ("WarmupDecayLR", "peak_value", "leave it out: the optimizer has the base rate"),
        (
            "StepLR",
            "decay_t",
            "did you mean `step_size`? It is a number of steps; "
            "`decay_t` in timm is a number of epochs or steps",
        ),
        ("StepLR", "nothing_like_it", "its fields are step_size, gamma"),
    ],
)
def test_what_is_said_of_a_word(kind, word, said):
    assert meaning(word, KINDS[kind].model_fields) == said


def test_a_word_of_another_framework_is_not_taken_for_a_misspelt_field():
    assert meant("warmup_step", KINDS["WarmupLR"].model_fields) == "warmup_steps"
    assert meant("warmup_type", KINDS["WarmupLR"].model_fields) is None
    assert meant("max_lr", KINDS["WarmupCosineScheduler"].model_fields) is None


@pytest.mark.parametrize("word", sorted(OF_THE_OPTIMIZER))
def test_the_base_rate_is_left_to_the_optimizer(word):
    assert (
        meaning(word, KINDS["ExponentialLR"].model_fields)
        == "leave it out: the optimizer has the base rate"
    )


@pytest.mark.parametrize(
    ("word", "value", "said"),
    [
        (
            "warmup_ratio",
            0.03,
            "`warmup_steps: 3%`? `warmup_ratio` in transformers is a share of the run",
        ),
        (
            "warmup_ratio",
            "3%",
            "`warmup_steps: 3%`? `warmup_ratio` in transformers is a share of the run",
        ),
        (
            "warmup_ratio",
            0,
            "`warmup_steps: 0`? `warmup_ratio` in transformers is a share of the run",
        ),
        (
            "warmup_ratio",
            30,
            "`warmup_steps`? It is a number of steps; "
            "`warmup_ratio` in transformers is a share of the run",
        ),
        ("warmup_epochs", 5, "`warmup_steps: 5ep`? `warmup_epochs` in timm is a number of epochs"),
        (
            "warmup_epochs",
            0.5,
            "`warmup_steps: 0.5ep`? `warmup_epochs` in timm is a number of epochs",
        ),
        (
            "lr_warmup_samples",
            1e6,
            "`warmup_steps: 1000000sp`? `lr_warmup_samples` in Megatron is a number of samples",
        ),
        (
            "lr_warmup_tokens",
            375_000_000,
            "`warmup_steps: 375000000tok`? "
            "`lr_warmup_tokens` in Megatron-DeepSpeed is a number of tokens",
        ),
        ("t_warmup", "10ep", "`warmup_steps: 10ep`? Composer calls it t_warmup"),
        ("t_warmup", "10ba", "`warmup_steps: 10`? `t_warmup` in Composer is a time such as 10ep"),
        (
            "t_warmup",
            10,
            "`warmup_steps`? It is a number of steps; "
            "`t_warmup` in Composer is a time such as 10ep",
        ),
        (
            "warmup_t",
            5,
            "`warmup_steps: 5` or `warmup_steps: 5ep`? "
            "`warmup_t` in timm is a number of epochs or steps",
        ),
    ],
)
def test_a_value_of_another_measure_is_translated_with_its_word(word, value, said):
    assert meaning(word, only("warmup_steps"), value=value) == f"did you mean {said}"


def test_lists_are_translated_where_their_items_are_what_ours_are():
    shares, epochs = [0.1, 0.4, 0.5], [30, 60]
    assert "`lengths: [10%, 40%, 50%]`" in meaning("phase_ratio", only("lengths"), value=shares)
    assert "`milestones: [30, 60]` or `milestones: [30ep, 60ep]`" in meaning(
        "decay_t", only("milestones"), value=epochs
    )
    assert "%" not in meaning("lengths", only("milestones"), value=shares)
    assert "%" not in meaning("phase_ratio", only("warmup_steps"), value=shares)
    assert certain("phase_ratio", only("lengths"), value=shares) is None


SHARES = st.floats(1e-90, 1.0)


@given(SHARES)
def test_a_share_becomes_the_per_cent_that_its_digits_say(share):
    said = duration(percent(share))
    assert said is not None
    assert said.share == Fraction(Decimal(repr(share)))


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.07, "7%"),
        (0.57, "57%"),
        (0.1, "10%"),
        (1.0, "100%"),
        (0.001, "0.1%"),
        (1e-4, "0.01%"),
        (1e-20, "1e-18%"),
        (0.12345678901234566, "12.345678901234566%"),
    ],
)
def test_a_share_has_the_shortest_per_cent(share, said):
    assert percent(share) == said


MEASURED = [OF_THE_RUN, SAMPLES, EPOCHS, EPOCHS_OR_STEPS, TIME]
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.floats(0, 1))
)


@given(st.sampled_from(MEASURED), ODD)
def test_whatever_stands_there_what_is_said_of_it_is_a_duration_or_a_number_of_steps(
    measure, value
):
    for way in in_ours(measure, STEPS, value):
        assert way.isdigit() or duration(way)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), pytest.param(10**5000, id="huge"), -1, True, "9" * 50]
)
def test_what_no_schedule_lasts_has_no_translation(value):
    assert [in_ours(measure, STEPS, value) for measure in MEASURED] == [()] * len(MEASURED)


def inside(node):
    """A schedule in JSON, and each schedule inside it."""
    if isinstance(node, dict):
        yield from [node] if "kind" in node else []
        node = [*node.values()]
    for item in node if isinstance(node, list) else ():
        yield from inside(item)


def written(fix, value):
    """The value that a fix leaves in the document."""
    text = fix.value.text if fix.value else value
    return int(text) if isinstance(text, str) and text.isdigit() else text


def calls():
    """Each word in a call of a peer, its value, and each field of the spec with this value."""
    for path in sorted((Path(__file__).parent / "peers").glob("*.json")):
        for row in json.loads(path.read_text())["rows"]:
            for word, text in re.findall(r"(\w+)=('[^']*'|[-\d.e]+|\[[\d, .]*\])", row["peer"]):
                value = ast.literal_eval(text)
                for number, node in enumerate(inside(row["olm"])):
                    fields = KINDS[node["kind"]].model_fields
                    for name in {*PROVEN.get(word, ())} & {*node}:
                        fix = certain(word, {name: fields[name]}, value=value)
                        if word not in fields and fix and written(fix, value) == node[name]:
                            yield word, value, name, row, number


CALLS = [*calls()]


def test_each_word_with_a_fix_is_used_in_a_call_of_a_peer_for_each_field_that_the_fix_writes():
    proven = {(word, name) for word, names in PROVEN.items() for name in names}
    assert {(word, name) for word, _, name, _, _ in CALLS} == proven


@pytest.mark.parametrize("word", PROVEN)
def test_with_the_word_of_a_peer_in_place_of_ours_a_fix_restores_the_spec_with_its_curve(word):
    fixes = 0
    for _, value, name, row, number in (call for call in CALLS if call[0] == word):
        theirs = copy.deepcopy(row["olm"])
        node = [*inside(theirs)][number]
        del node[name]
        node[word] = value
        text, count = fixed_text(json.dumps(theirs).encode(), "a.olm.json")
        if count == 0:
            # Where several fields may be meant, there is no fix.
            continue
        fixes += count
        # That the spec of the row has the curve of the peer is what test_against_peers.py tests.
        assert olm.parse(json.loads(text)) == olm.parse(row["olm"]), row["peer"]
    assert fixes


RESCALED = {"constant_lr_ratio", "ssr", "num_cycles"}
"""Arguments that change what the other arguments of a call are counted in."""


@pytest.mark.parametrize("kind", KINDS)
def test_an_argument_that_rescales_the_others_is_an_error_so_that_no_fix_makes_a_spec_valid(kind):
    fields = KINDS[kind].model_fields
    assert not RESCALED & {*fields}
    assert all(certain(word, fields, kind) is None for word in RESCALED)


def test_a_fix_writes_the_value_that_the_spec_with_the_curve_of_the_peer_has():
    different = [
        (row["peer"], word, written(fix, value), row["olm"][fix.text])
        for path in sorted((Path(__file__).parent / "peers").glob("*.json"))
        for row in json.loads(path.read_text())["rows"]
        for word, text in re.findall(r"(\w+)=('[^']*'|[-\d.e]+)", row["peer"])
        if word in FOREIGN and word not in KINDS[row["olm"]["kind"]].model_fields
        for value in [ast.literal_eval(text)]
        for fix in [certain(word, KINDS[row["olm"]["kind"]].model_fields, value=value)]
        if fix and fix.text in row["olm"] and row["olm"][fix.text] != written(fix, value)
        if not any(f"{argument}=" in row["peer"] for argument in RESCALED)
    ]
    assert different == []


@pytest.mark.parametrize("word", FOREIGN)
def test_a_word_without_a_proof_is_a_hint_and_never_a_fix(word):
    for kind, model in KINDS.items():
        for value in (1, 0.5, "3%", "0.5dur", "10ep", "10ba", "cosine", [1, 2]):
            fix = certain(word, model.model_fields, kind, value)
            assert fix is None or word in model.model_fields or fix.text in PROVEN[word]
            assert fix is None or fix.value is None or "%" not in fix.value.text


@pytest.mark.parametrize("word", AMBIGUOUS)
def test_a_word_of_several_senses_is_a_hint_and_never_a_fix(word):
    _, sense = FOREIGN[word]
    for kind, model in KINDS.items():
        for value in (1, 0.5, "3%", "cosine", [1, 2]):
            assert certain(word, model.model_fields, kind, value) is None
    field = next(name for name in sense.fields if name in FIELDS and name != word)
    assert meaning(word, only(field)).endswith(AMBIGUOUS[word])


def test_the_decay_of_keras_is_not_taken_for_the_whole_run():
    text = b"kind: WarmupCosineScheduler\nwarmup_steps: 1000\ndecay_steps: 9000\n"
    assert fixed_text(text, "a.olm.yaml") == (text, 0)
    assert meaning("decay_steps", KINDS["WarmupCosineScheduler"].model_fields) == (
        "did you mean `total_steps`? optax calls it decay_steps; "
        "Keras counts it without the warm-up"
    )


def hints(fields):
    with pytest.raises(olm.SpecError) as caught:
        olm.parse(fields)
    return [problem.hint for problem in caught.value.problems]


@pytest.mark.parametrize(("word", "value"), [("min_lr", "10%"), ("min_lr_ratio", 0.1)])
def test_a_share_of_the_base_rate_leads_to_the_kind_that_has_it(word, value):
    fields = {"kind": "WarmupCosineScheduler", "warmup_steps": 10, "total_steps": 100}
    [hint] = hints({**fields, word: value})
    assert "the field `end_factor: 0.1` of the kind `WarmupDecayLR`" in hint
    instead = olm.parse({**fields, "kind": "WarmupDecayLR", "decay": "cosine", "end_factor": 0.1})
    assert instead.lr(100, 0.5) == pytest.approx(0.05)


@pytest.mark.parametrize("word", sorted(OF_MOMENTUM))
def test_the_momentum_is_left_to_the_optimizer(word):
    assert hints({"kind": "OneCycleLR", "max_lr": 0.1, "total_steps": 9, word: 1}) == [
        "leave it out, and schedule the momentum under `also`, with `set: momentum`, "
        "or `betas[0]` of Adam"
    ]


def test_a_misspelled_length_has_a_suggestion():
    for kind in ("LinearLR", "WarmupDecayLR", "OneCycleLR"):
        assert "did you mean `total_steps`?" in hints({"kind": kind, "total_step": 9})
