"""Durations in transformers, Composer and NeMo, and where olm rounds differently.

Their results are in `tests/peers`, where `python3 tools/peers transformers composer nemo`
writes them. The curves there include schedules of Composer with durations.
"""

import json
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import NamedTuple

import pytest

import olm
from olm.fields.durations import duration, hint_of

FOLDER = Path(__file__).resolve().parent / "peers"
HALF = Fraction(1, 2)


class Said(NamedTuple):
    """A duration in a run."""

    peer: str
    """The expression of the peer."""
    theirs: str | float
    """The duration as the peer writes it."""
    ours: str | int | None
    """The duration as a spec writes it."""
    answer: str | float | None
    """The result of the peer."""
    clock: olm.Clock
    """The run."""

    @property
    def exact(self):
        """The exact number of steps."""
        return self.clock.steps(self.ours) if isinstance(self.ours, str) else Fraction(self.ours)

    @property
    def steps(self):
        """The number of steps that olm computes."""
        return self.rounded("nearest")

    def rounded(self, rounding):
        """The number of steps that olm computes with a rounding."""
        spec = {"kind": "WarmupLR", "warmup_steps": self.ours, "rounding": rounding}
        return olm.parse(spec).resolve(self.clock).schedule.warmup_steps


def said_to(name):
    peer = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return [
        Said(run["peer"], theirs, ours, answer, olm.Clock(**run["clock"]))
        for run in peer["durations"]
        for (theirs, ours), answer in zip(run["written"], run["answers"], strict=True)
    ]


TRANSFORMERS = said_to("transformers")
COMPOSER = said_to("composer")
NEMO = said_to("nemo")
CONVERTED = [said for said in COMPOSER if said.peer.startswith("_convert_time(")]
SHARES = [said for said in CONVERTED if str(said.ours).endswith("%")]


def refused(length):
    with pytest.raises(olm.SpecError):
        olm.parse({"kind": "WarmupLR", "warmup_steps": length})
    return True


def batches(said):
    """The result of Composer in batches; None if it is in another unit."""
    return int(said.answer.removesuffix("ba")) if said.answer.endswith("ba") else None


def ends_just_after(said):
    """Whether it ends after a step, closer to it than to the next."""
    return said.exact > 1 and 0 < said.exact % 1 < HALF


def test_transformers_warms_up_a_step_longer_where_the_fraction_is_below_a_half_and_never_more():
    said = [said for said in TRANSFORMERS if said.ours is not None and said.exact % 1]
    longer = [said.answer - said.steps for said in said]
    assert longer == [int(ends_just_after(said)) for said in said]
    assert {*longer} == {0, 1}


def test_transformers_warms_up_a_step_longer_where_a_float_product_is_slightly_above_an_integer():
    whole = [said for said in TRANSFORMERS if said.ours is not None and said.exact % 1 == 0]
    assert all(said.steps == said.exact for said in whole)
    longer = {
        (said.clock.total_steps, said.ours): (said.steps, said.answer)
        for said in whole
        if said.answer != said.steps
    }
    assert longer == {
        (50, "14%"): (7, 8),
        (50, "28%"): (14, 15),
        (50, "56%"): (28, 29),
        (100, "7%"): (7, 8),
        (100, "14%"): (14, 15),
        (100, "28%"): (28, 29),
        (100, "55%"): (55, 56),
        (100, "56%"): (56, 57),
        (10_000, "7%"): (700, 701),
        (10_000, "14%"): (1400, 1401),
        (10_000, "17%"): (1700, 1701),
        (10_000, "28%"): (2800, 2801),
        (10_000, "34%"): (3400, 3401),
        (10_000, "56%"): (5600, 5601),
        (10_000, "68%"): (6800, 6801),
        (10_000, "81%"): (8100, 8101),
    }


def test_rounding_up_gives_the_warm_ups_of_transformers_except_for_its_float_products():
    """`olm import` writes the steps of those, since olm never multiplies floats."""
    shares = [said for said in TRANSFORMERS if isinstance(said.ours, str)]
    more = [said for said in shares if said.rounded("up") != said.answer]
    assert all(said.exact % 1 == 0 and said.answer == said.exact + 1 for said in more)
    assert (len(shares), len(more)) == (1041, 16)


def test_transformers_truncates_fractions_above_one_to_steps_and_olm_rejects_them():
    answers = {said.theirs: said.answer for said in TRANSFORMERS if not isinstance(said.ours, str)}
    assert answers == {0: 0, 1: 1, 100: 100, 1.5: 1, 99.9: 99}
    assert refused(1.5)
    assert refused(99.9)


@pytest.mark.parametrize(
    ("total", "written", "theirs", "ours"),
    [(30, "7%", 3, 2), (30, "9%", 3, 3), (50, "3%", 2, 2), (1000, "0.0001%", 1, 1)],
)
def test_some_warm_ups_by_hand(total, written, theirs, ours):
    (said,) = (s for s in TRANSFORMERS if (s.clock.total_steps, s.ours) == (total, written))
    assert (said.answer, said.steps) == (theirs, ours)


def test_olm_reads_durations_of_composer_or_suggests_the_right_form():
    for said in COMPOSER:
        if said.ours is None:
            assert refused(said.theirs)
        elif duration(said.theirs) is not None:
            assert duration(said.theirs) == duration(said.ours)
        else:
            assert hint_of(said.theirs)[1] == str(said.ours)


def test_composer_accepts_negative_durations_and_olm_does_not():
    answers = {said.theirs: said.answer for said in CONVERTED if said.ours is None}
    assert answers == {"-3ep": "-99ba", "-0.5dur": "-49ba", "infdur": None, "1h": None}


def test_composer_truncates_a_share_of_the_run_where_olm_rounds_half_up():
    said = [said for said in SHARES if batches(said) is not None and said.exact % 1]
    more = [said.steps - batches(said) for said in said]
    assert more == [int(said.exact % 1 >= HALF or said.exact < 1) for said in said]
    assert {*more} == {0, 1}


def test_composer_loses_a_batch_where_a_float_product_is_slightly_below_an_integer():
    whole = [said for said in SHARES if batches(said) is not None and said.exact % 1 == 0]
    assert all(said.steps == said.exact for said in whole)
    lost = {
        (said.clock.total_steps, said.ours): (said.steps, batches(said))
        for said in whole
        if batches(said) != said.steps
    }
    assert lost == {
        (50, "58%"): (29, 28),
        (100, "29%"): (29, 28),
        (100, "57%"): (57, 56),
        (100, "58%"): (58, 57),
    }


def test_rounding_down_gives_the_batches_of_composer_except_for_its_float_products_and_none():
    """A duration above 0 keeps at least 1 step, where Composer has no batch."""
    shares = [said for said in SHARES if batches(said) is not None]
    differ = [said for said in shares if said.rounded("down") != batches(said)]
    none = [said for said in differ if 0 < said.exact < 1]
    lost = {(said.clock.total_steps, said.ours) for said in differ if said not in none}
    assert all((said.rounded("down"), batches(said)) == (1, 0) for said in none)
    assert lost == {(50, "58%"), (100, "29%"), (100, "57%"), (100, "58%")}
    assert (len(shares), len(none)) == (8 * 106, 39)


@pytest.mark.parametrize("field", ["warmup", "constant"])
def test_rounding_down_gives_the_steps_of_nemo_except_for_its_float_products_and_none(field):
    shares = [said for said in NEMO if said.peer.endswith(f".{field}_steps")]
    # It divides by zero where the constant end is all of the run.
    failed = [said for said in shares if said.answer is None]
    assert [said.ours for said in failed] == ["100%"] * (9 if field == "constant" else 0)
    differ = [said for said in shares if said.rounded("down") != said.answer is not None]
    none = [said for said in differ if 0 < said.exact < 1]
    lost = [said for said in differ if said not in none]
    assert all((said.rounded("down"), said.answer) == (1, 0) for said in none)
    assert all(said.exact % 1 == 0 and said.answer == said.exact - 1 for said in lost)
    assert {(said.clock.total_steps, said.ours) for said in lost} == {
        (50, "58%"),
        (100, "29%"),
        (100, "57%"),
        (100, "58%"),
        (10_000, "57%"),
        (10_000, "69%"),
    }
    assert len(shares) == 9 * 106


@pytest.mark.parametrize("unit", ["sp", "tok"])
def test_rounding_up_ends_samples_and_tokens_at_the_batch_of_composer(unit):
    same = [said for said in CONVERTED if said.theirs == said.ours and said.answer]
    said = [said for said in same if said.theirs.endswith(unit)]
    assert said
    # Its schedulers compare the duration with the number of samples or tokens before a batch.
    assert [ceil(one.exact) for one in said] == [one.rounded("up") for one in said]


def test_epochs_and_batches_are_equally_many_steps_for_both():
    said = [
        said
        for said in CONVERTED
        if said.ours is not None and said.theirs[-2:].lower() in ("ep", "ba") and said.answer
    ]
    assert [batches(said) for said in said] == [said.steps for said in said]
    assert len(said) > 12


def test_composer_rejects_fractions_of_epochs_samples_and_tokens_and_olm_counts_them():
    broken = {said.ours: said.steps for said in CONVERTED if said.ours and said.answer is None}
    assert broken == {"0.5ep": 17, "1.5ep": 50, "2.25ep": 74, "0.5tok": 1, "1.5sp": 1}


@pytest.mark.parametrize("unit", ["sp", "tok"])
def test_composer_keeps_samples_and_tokens_so_it_ends_at_most_a_step_after_olm(unit):
    same = [said for said in CONVERTED if said.theirs == said.ours and said.answer]
    said = [said for said in same if said.theirs.endswith(unit)]
    for one in said:
        assert one.answer == f"{int(duration(one.ours).terms[0][0])}{unit}"
        # Its schedulers compare this with the number of samples or tokens before a batch.
        assert ceil(one.exact) - one.steps == ends_just_after(one)
    assert {ends_just_after(one) for one in said} == {True, False}


def test_composer_counts_a_share_of_a_token_run_in_tokens_and_olm_in_steps():
    said = [said for said in SHARES if said.answer.endswith("tok")]
    per_step = said[0].clock.tokens_per_step
    last = said[0].clock.total_steps - Fraction(1_000_000, per_step)
    for one in said:
        tokens = int(one.answer.removesuffix("tok"))
        # The last step is incomplete, and Composer truncates a fraction of a token.
        more = duration(one.ours).share * last
        assert more <= one.exact - Fraction(tokens, per_step) <= more + Fraction(1, per_step)
    assert len(said) > 100


def test_composer_rejects_a_warm_up_in_another_unit_than_its_end_and_olm_counts_both():
    said = [said for said in COMPOSER if said not in CONVERTED]
    answers = {said.theirs: (said.answer, said.steps) for said in said}
    assert answers == {
        "0.1dur": (0.0, 10),
        "40960tok": (0.0, 10),
        "10ba": (None, 10),
        "1ep": (None, 33),
        "40sp": (None, 10),
    }
