"""Other frameworks' words: that each leads to a field which is there, and what is said of it."""

import pytest

from olm.fields import step_fields
from olm.kinds import KINDS
from olm.words import (
    FOREIGN,
    LENGTHS,
    MEASURES,
    OF_THE_OPTIMIZER,
    RATE,
    STEP_LIST,
    STEPS,
    WORDS,
    meaning,
    meant,
)

FIELDS = {name for model in KINDS.values() for name in model.model_fields}


@pytest.mark.parametrize("word", FOREIGN)
def test_a_word_leads_to_a_field_of_a_kind(word):
    _, sense = FOREIGN[word]
    assert set(sense.fields) <= FIELDS
    assert set(sense.fields) - {word}


def test_a_word_is_listed_under_one_framework():
    assert len(FOREIGN) == sum(len(words) for words in WORDS.values())


def test_what_sort_of_value_a_field_has_is_known_where_others_have_another():
    measured = {name for _, sense in FOREIGN.values() if sense.measure for name in sense.fields}
    assert measured <= set(MEASURES)
    assert set(MEASURES) <= FIELDS


@pytest.mark.parametrize("field", MEASURES)
def test_what_sort_of_value_a_field_has_is_what_its_type_says(field):
    models = [model for model in KINDS.values() if field in model.model_fields]
    in_steps = MEASURES[field] in (STEPS, STEP_LIST, LENGTHS)
    assert [field in step_fields(model) for model in models] == [in_steps] * len(models)
    assert (MEASURES[field] == RATE) == field.endswith(("_lr", "eta_min"))


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
            "did you mean `end_factor`? It is a share of the base rate; optax has a rate there",
        ),
        (
            "LinearLR",
            "end_factor",
            "did you mean `end_lr`? It is a rate; torch has a share of the base rate there",
        ),
        (
            "WarmupStableDecayLR",
            "decay_fraction",
            "did you mean `decay_steps`? It is a number of steps; "
            "OLMo-core has a share of the run there",
        ),
        (
            "TableLR",
            "values",
            "did you mean `factors`? It is a list of shares of the base rate; "
            "Keras has a list of rates there",
        ),
        (
            "PhasesLR",
            "milestones",
            "did you mean `lengths`? It is a list of lengths; torch has a list of steps there",
        ),
        ("OneCycleLR", "peak_value", "did you mean `max_lr`? optax calls it peak_value"),
        ("WarmupDecayLR", "peak_value", "leave it out: the base rate is the optimizer's"),
        (
            "StepLR",
            "decay_t",
            "did you mean `step_size`? It is a number of steps; timm has epochs or steps there",
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
    assert meaning(word, ["kind", "gamma"]) == "leave it out: the base rate is the optimizer's"
