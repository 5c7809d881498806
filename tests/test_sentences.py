"""The sentence that `olm show` prints first, read back and compared with the rates."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from olm.kinds import KINDS
from olm.schedule.evaluation import usable
from olm.schedule.showing.sentence import in_words, sentence
from olm.spec.memory import forgotten

from .strategies import CATALOGUE, schedules

NUMBER = r"-?[\d.,]+(?:e[+-]\d+)?"
VALUE = rf"(?:the base rate|{NUMBER} × base|{NUMBER})"
RISE = (
    rf"(?:(?P<way>up|down) from (?P<start>{VALUE}) to the base rate in (?P<rise>{NUMBER}) steps?"
    rf"|the base rate for (?P<flat>{NUMBER}) steps?|the base rate)"
)


class Curve:
    """The rates of a schedule, and what a sentence about them claims."""

    def __init__(self, schedule, base):
        self.schedule, self.base = schedule, base

    def rate(self, step):
        return float(self.schedule.evaluate(np.array([float(step)]), np.array([self.base]))[0])

    def value(self, text):
        if text == "the base rate":
            return self.base
        return number(text.removesuffix(" × base")) * (self.base if "×" in text else 1)

    def is_at(self, step, value):
        """The rate at a step is a value, which may be written as in a sentence."""
        wanted = self.value(value) if isinstance(value, str) else value
        scale = max(abs(wanted), self.base, *[abs(self.rate(s)) for s in (0, step)])
        assert self.rate(step) == pytest.approx(wanted, rel=1e-9, abs=1e-9 * scale), step

    def holds(self, step):
        assert {self.rate(later) for later in (step, step + 1, step + 1000, 10**12)} == {
            self.rate(step)
        }

    def goes(self, way, first, last):
        """The rates between two steps only rise, or only fall, and do."""
        rates = [self.rate(step) for step in np.linspace(first, last, 20)]
        small = 1e-12 * max(map(abs, rates))
        sign = 1 if way == "up" else -1
        assert all(sign * change >= -small for change in np.diff(rates))
        assert self.base == 0 or sign * (rates[-1] - rates[0]) > 0

    def rises(self, found):
        """What the beginning says; the step at which it ends."""
        if found["rise"] is None:
            end = int(number(found["flat"] or "0"))
        else:
            end = int(number(found["rise"]))
            self.is_at(0, found["start"])
            self.goes(found["way"], 0, end)
        for step in (end, *([0] if found["flat"] else [])):
            self.is_at(step, self.base)
        return end


def number(text):
    return float(text.replace(",", ""))


CLAIMS = {}


def claims(kind, form):
    """Declare a form of the sentence of a kind, and what it claims."""

    def declare(function):
        CLAIMS.setdefault(kind, []).append((re.compile(form), function))
        return function

    return declare


@claims("ConstantLR", rf"(?P<first>{VALUE}), then the base rate from step (?P<n>{NUMBER}) on")
def _(curve, found):
    n = number(found["n"])
    curve.is_at(0, found["first"])
    curve.is_at(n - 1, found["first"])
    curve.is_at(n, curve.base)
    curve.holds(n)


for kind in ("ConstantLR", "WarmupLR", "PolynomialLR", "MultiStepLR"):

    @claims(kind, "the base rate")
    def _(curve, found):
        curve.is_at(0, curve.base)
        curve.holds(0)


CURVE = "(?:slowly at first and fast at the end, |(?:half a cosine|a straight line) )"
for kind in ("CosineAnnealingLR", "LinearLR", "LinearDecayLR", "LinearFactorLR", "RexLR"):

    @claims(
        kind,
        rf"(?P<curve>{CURVE})from (?P<a>{VALUE}) (?P<way>down )?to (?P<b>{VALUE}) "
        rf"at step (?P<n>{NUMBER}), which holds",
    )
    def _(curve, found):
        n = number(found["n"])
        curve.is_at(0, found["a"])
        curve.is_at(n, found["b"])
        curve.holds(n)
        start, end = curve.rate(0), curve.rate(n)
        middle = curve.rate(n / 2)
        if "slowly" in found["curve"]:
            assert abs(middle - start) <= abs(end - middle) * (1 + 1e-9) + 1e-12 * curve.base
        else:
            assert middle == pytest.approx((start + end) / 2, rel=1e-9)
        if found["way"]:
            assert start >= end


for kind in ("FlatCosineLR", "CosineAnnealingLR"):

    @claims(
        kind,
        rf"(?:the base rate for (?P<flat>{NUMBER}) steps?, then half a cosine"
        rf"|half a cosine from the base rate) to (?P<b>{VALUE}) at step (?P<n>{NUMBER}), "
        "which holds",
    )
    def _(curve, found):
        n, flat = number(found["n"]), number(found["flat"] or "0")
        curve.is_at(0, curve.base)
        curve.is_at(flat, curve.base)
        curve.is_at((flat + n) / 2, (curve.base + curve.value(found["b"])) / 2)
        curve.is_at(n, found["b"])
        curve.holds(n)


@claims(
    "TanhLR",
    rf"along a hyperbolic tangent, {NUMBER} to {NUMBER}, to (?P<b>{VALUE}) "
    rf"at step (?P<n>{NUMBER}), which holds",
)
def _(curve, found):
    curve.is_at(number(found["n"]), found["b"])
    curve.holds(number(found["n"]))


@claims(
    "CyclicLR",
    rf"straight from (?P<a>{VALUE}) (?P<to>to|toward) (?P<b>{VALUE}) in (?P<up>{NUMBER}) steps? "
    rf"and back(?: in (?P<down>{NUMBER}) steps?)?, (?P<each>half as far each time|for ever)"
    rf"(?:, (?P<gamma>{NUMBER}) × as far at every step)?",
)
def _(curve, found):
    up = number(found["up"])
    down = number(found["down"]) if found["down"] else up
    low, high = curve.value(found["a"]), curve.value(found["b"])
    assert (found["gamma"] is None) == (found["to"] == "to")
    for cycle in range(3):
        start, share = cycle * (up + down), 0.5**cycle if "half" in found["each"] else 1.0
        for step, height in ((0, 0), (up / 2, 0.5), (up, 1), (up + down / 2, 0.5), (up + down, 0)):
            faded = number(found["gamma"]) ** (start + step) if found["gamma"] else 1.0
            curve.is_at(start + step, low + (high - low) * height * share * faded)


LOWEST = rf"(?P<max>{NUMBER}) / (?P<div>{NUMBER})"


@claims(
    "OneCycleLR",
    rf"from {LOWEST} to (?P<b>{NUMBER}) in (?P<pct>{NUMBER}) of the steps, "
    rf"(?P<three>back in as many, )?then to the first rate / (?P<final>{NUMBER}), which holds",
)
def _(curve, found):
    steps, first = curve.schedule.length, number(found["max"]) / number(found["div"])
    # A share of the steps is over with the last of them, which is one before.
    peak = number(found["pct"]) * steps - 1
    curve.is_at(0, first)
    curve.is_at(peak, found["b"])
    if found["three"]:
        curve.is_at(2 * peak, first)
    curve.is_at(steps - 1 if peak < steps - 1 else steps, first / number(found["final"]))
    curve.holds(steps)


@claims("OneCycleLR", rf"to {LOWEST} / (?P<final>{NUMBER}), which holds")
def _(curve, found):
    last = number(found["max"]) / number(found["div"]) / number(found["final"])
    curve.is_at(curve.schedule.length, last)
    curve.holds(curve.schedule.length)


for kind in ("HoldLR", "TableLR"):

    @claims(kind, rf"(?P<a>{VALUE}) at every step")
    def _(curve, found):
        curve.is_at(0, found["a"])
        curve.holds(0)


@claims(
    "TableLR",
    rf"(?P<factors>{NUMBER}(?:, {NUMBER})*) × base at the steps "
    rf"(?P<steps>{NUMBER}(?:, {NUMBER})*)"
    "(?:, with (?P<between>straight lines|half cosine waves) between them)?",
)
def _(curve, found):
    factors = [number(text) for text in found["factors"].split(", ")]
    steps = [number(text) for text in found["steps"].split(", ")]
    for step, factor in zip(steps, factors, strict=True):
        curve.is_at(step, factor * curve.base)
    if found["between"]:
        curve.is_at((steps[0] + steps[1]) / 2, (factors[0] + factors[1]) / 2 * curve.base)


@claims(
    "ReduceLROnPlateau",
    rf"the base rate, times (?P<factor>{NUMBER}) after "
    rf"(?P<bad>every metric|{NUMBER} metrics in a row) without improvement"
    rf"(?:, but not below (?P<least>{NUMBER}))?",
)
def _(curve, found):
    assume(curve.base > 1e-3)
    schedule = type(curve.schedule)(**{
        name: value
        for name, value in curve.schedule
        if name not in ("best", "num_bad_epochs", "cooldown_counter", "num_reductions")
    }).observe(1.0)  # fmt: skip
    bad = 1 if "every" in found["bad"] else int(number(found["bad"].split()[0]))
    for _ in range(min(bad, 100) - 1):
        schedule = schedule.observe(1.0)
        assert schedule.lr(0, curve.base) == curve.base
    assume(bad <= 100)
    schedule = schedule.observe(1.0)
    fallen = max(number(found["factor"]) * curve.base, number(found["least"] or "0"))
    assume(curve.base - fallen > schedule.eps or fallen >= curve.base)
    assert schedule.lr(0, curve.base) == pytest.approx(min(fallen, curve.base))


@claims(
    "KLAdaptiveLR",
    rf"the base rate, (?P<way>divided|multiplied) by (?P<factor>{NUMBER}) after a metric above "
    rf"(?P<tolerance>{NUMBER}) × (?P<target>{NUMBER}) and (?:divided|multiplied) by {NUMBER} after "
    rf"one below {NUMBER} / {NUMBER}(?P<positive> and above 0)?, but "
    rf"(?:not below (?P<least>{NUMBER}) when it falls and )?not above (?P<most>{NUMBER}) when it "
    "rises",
)
def _(curve, found):
    factor, tolerance, target = (number(found[name]) for name in ("factor", "tolerance", "target"))
    assume(curve.base > 0 and target * tolerance < 1e300)
    schedule = forgotten(curve.schedule)
    falls = max(curve.base / factor, number(found["least"] or "0"))
    rises = min(curve.base * factor, number(found["most"]))
    high, low = (falls, rises) if found["way"] == "divided" else (rises, falls)

    def after(metric):
        return schedule.observe(metric).lr(0, curve.base)

    assert after(target * tolerance * 1.1) == pytest.approx(high)
    assert after(target / tolerance * 0.9) == pytest.approx(low)
    assert after(target) == curve.base
    assert after(-target) == pytest.approx(curve.base if found["positive"] else low)


@claims(
    "NewBobLR",
    rf"the base rate, times (?P<factor>{NUMBER}) after "
    rf"(?P<bad>every metric|{NUMBER} metrics) that improves? on the one before by less than "
    rf"(?P<share>{NUMBER}) of it(?:, but not below (?P<least>{NUMBER}))?",
)
def _(curve, found):
    bad = 1 if "every" in found["bad"] else int(number(found["bad"].split()[0]))
    assume(curve.base > 1e-3 and bad <= 100)
    share = number(found["share"])
    # A smaller share of 1 is lost in a float.
    assume(share == 0 or share > 1e-9)
    better = 1 - share * 1.01 if curve.schedule.mode == "min" else 1 + share * 1.01
    schedule = forgotten(curve.schedule).observe(1.0)
    assert schedule.observe(better).num_bad_epochs == 0 == schedule.num_bad_epochs
    assume(share > 0)
    for _ in range(bad):
        assert schedule.lr(0, curve.base) == curve.base
        schedule = schedule.observe(1.0)
    fallen = max(number(found["factor"]) * curve.base, number(found["least"] or "0"))
    assert schedule.lr(0, curve.base) == pytest.approx(min(fallen, curve.base))


@claims(
    "PolynomialLR",
    rf"base × \(1 - step / (?P<n>{NUMBER})\) to the power of (?P<power>{NUMBER}), "
    rf"0 from step (?P<m>{NUMBER}) on",
)
def _(curve, found):
    n, power = number(found["n"]), number(found["power"])
    assert found["n"] == found["m"]
    for step in (0, n / 2, n - 1):
        curve.is_at(step, curve.base * (1 - step / n) ** power)
    curve.is_at(n, 0)
    curve.holds(n)


@claims(
    "PowerLR",
    rf"base × \(1 \+ (?P<rate>{NUMBER}) × step / (?P<n>{NUMBER})\) "
    rf"to the power of -(?P<p>{NUMBER})",
)
def _(curve, found):
    for step in (0, 1, 7, 1000):
        rate, n, power = (number(found[name]) for name in ("rate", "n", "p"))
        curve.is_at(step, curve.base * (1 + rate * step / n) ** -power)


INVERSE = "with the inverse square root of the step"


@claims("InverseSqrtLR", rf"{RISE}, then toward (?P<b>{VALUE}) {INVERSE}")
def _(curve, found):
    end = curve.rises(found)
    limit, start = curve.value(found["b"]), curve.rate(end)
    scale = curve.schedule.timescale or curve.schedule.warmup_steps
    assume(scale < 10**9)
    curve.is_at(end + 3 * scale, (start + limit) / 2)
    curve.is_at(end + 99 * scale, limit + (start - limit) / 10)


@claims(
    "NoamLR",
    rf"up in (?P<rise>{NUMBER}) steps? to base / sqrt\((?P<d>{NUMBER}) × (?P<w>{NUMBER})\), "
    f"then down {INVERSE}",
)
def _(curve, found):
    rise, peak = (
        number(found["rise"]),
        curve.base / (number(found["d"]) * number(found["w"])) ** 0.5,
    )
    curve.is_at(rise - 1, peak)
    if rise > 1:
        curve.goes("up", 0, rise - 1)
    curve.is_at(4 * rise - 1, peak / 2)


SHAPES = "a straight line|half a cosine|a polynomial of power {n}|a power of {n}|a logarithm"


@claims(
    "RampLR",
    rf"(?P<shape>{SHAPES.format(n=NUMBER)})(?: in (?P<space>log|inverse) space)? "
    rf"from (?P<a>{VALUE}) to (?P<b>{VALUE}) in (?P<n>{NUMBER}) steps?"
    rf"(?:, beginning with its step (?P<offset>{NUMBER}))?, "
    "(?P<past>which holds|then back and forth|then again and again|and on in the same way)",
)
def _(curve, found):
    n, offset = number(found["n"]), number(found["offset"] or "0")
    assume(curve.base > 0)
    if offset == 0:
        curve.is_at(0, found["a"])
    if offset <= n:
        again = "again" in found["past"]
        curve.is_at(n - offset, found["a" if again else "b"])
        if again and offset < n:
            curve.is_at(2 * n - offset, found["a"])
        if "forth" in found["past"]:
            curve.is_at(2 * n - offset, found["a"])
            curve.is_at(3 * n - offset, found["b"])
        if found["shape"] in ("a straight line", "half a cosine") and offset <= n / 2:
            a, b = curve.value(found["a"]), curve.value(found["b"])
            means = {"log": lambda: (a * b) ** 0.5, "inverse": lambda: 2 / (1 / a + 1 / b)}
            curve.is_at(n / 2 - offset, means.get(found["space"], lambda: (a + b) / 2)())
    if found["past"] == "which holds":
        curve.is_at(max(n - offset, 0), found["b"])
        curve.holds(max(n - offset, 0))


@claims(
    "CosineAnnealingWarmRestarts",
    rf"half a cosine from the base rate to (?P<b>{VALUE}) in (?P<n>{NUMBER}) steps?, "
    rf"(?:again and again|then again, each (?P<times>{NUMBER}) × as long as the one before)",
)
def _(curve, found):
    n, times = number(found["n"]), number(found["times"] or "1")
    lowest, start = curve.value(found["b"]), 0
    for cycle in range(3):
        curve.is_at(start, curve.base)
        curve.is_at(start + n * times**cycle / 2, (curve.base + lowest) / 2)
        start += n * times**cycle
        small = 1e-6 * max(curve.base, lowest)
        if start < 10**12:
            assert curve.rate(start * (1 - 1e-9)) == pytest.approx(lowest, abs=small)


@claims("StepLR", rf"the base rate, times (?P<gamma>{NUMBER}) every (?:(?P<n>{NUMBER}) steps|step)")
def _(curve, found):
    gamma, n = number(found["gamma"]), number(found["n"] or "1")
    for times in range(4):
        curve.is_at(times * n, curve.base * gamma**times)
        curve.is_at(times * n + n - 1, curve.base * gamma**times)


@claims(
    "MultiStepLR",
    rf"the base rate, times (?P<gamma>{NUMBER}) at (?:each of the steps|step) "
    rf"(?P<steps>{NUMBER}(?:, {NUMBER})*)",
)
def _(curve, found):
    steps = [number(text) for text in found["steps"].split(", ")]
    for step in {*steps, *(step - 1 for step in steps if step)}:
        curve.is_at(step, curve.base * number(found["gamma"]) ** sum(step >= it for it in steps))


@claims("ExponentialLR", rf"the base rate, times (?P<gamma>{NUMBER}) at every step")
def _(curve, found):
    for step in (0, 1, 2, 5):
        curve.is_at(step, curve.base * number(found["gamma"]) ** step)


@claims(
    "WarmupLR",
    rf"(?P<way>up )?from (?P<a>{VALUE}) to the base rate in (?P<n>{NUMBER}) steps?, which holds",
)
def _(curve, found):
    n, start = number(found["n"]), curve.value(found["a"])
    # Step 0 is the first of so many rises.
    curve.is_at(0, start + (curve.base - start) / n)
    curve.is_at(n - 1, curve.base)
    curve.is_at(n, curve.base)
    curve.holds(n)
    if found["way"] and n > 1:
        curve.goes("up", 0, n - 1)


@claims(
    "WarmupCosineScheduler",
    rf"(?:up from 0 to the base rate in (?P<w>{NUMBER}) steps?, then half a cosine"
    rf"|half a cosine from the base rate) (?P<way>down )?to (?P<b>{VALUE}) "
    rf"at step (?P<n>{NUMBER}), which holds",
)
def _(curve, found):
    n, warmup = number(found["n"]), number(found["w"] or "0")
    curve.is_at(max(warmup - 1, 0), curve.base)
    curve.is_at(warmup, curve.base)
    if warmup:
        curve.is_at(0, curve.base / warmup)
    curve.is_at((warmup + n) / 2, (curve.base + curve.value(found["b"])) / 2)
    curve.is_at(n, found["b"])
    curve.holds(n)
    assert not found["way"] or curve.rate(warmup) >= curve.rate(n)


@claims(
    "WarmupDecayLR",
    rf"{RISE}, then a \w+ decay to (?P<b>{VALUE}) at step (?P<n>{NUMBER}), which holds",
)
def _(curve, found):
    curve.rises(found)
    curve.is_at(number(found["n"]), found["b"])
    curve.holds(number(found["n"]))


@claims(
    "WarmupStableDecayLR",
    rf"{RISE}, which holds, then a \w+ decay in (?P<decay>{NUMBER}) steps? to (?P<b>{VALUE}) "
    rf"at step (?P<n>{NUMBER}), which holds",
)
def _(curve, found):
    end, n = curve.rises(found), number(found["n"])
    begins = n - number(found["decay"])
    assert end <= begins
    curve.is_at(begins, curve.base)
    curve.is_at(n, found["b"])
    curve.holds(n)


@claims(
    "TriStageLR",
    rf"{RISE}(?:, which holds for (?P<hold>{NUMBER}) steps?)?, "
    rf"then a geometric decay to (?P<b>{VALUE}) in (?P<decay>{NUMBER}) steps?, which holds",
)
def _(curve, found):
    begins = curve.rises(found) + number(found["hold"] or "0")
    decay = number(found["decay"])
    curve.is_at(begins, curve.base)
    curve.is_at(
        begins + decay / 2, curve.base * (curve.value(found["b"]) / (curve.base or 1)) ** 0.5
    )
    curve.is_at(begins + decay, found["b"])
    curve.holds(begins + decay)


def rounded(schedule):
    """A schedule whose numbers have no more digits than a sentence has."""
    short = {
        name: float(f"{value:.4g}") for name, value in schedule if isinstance(value, float)
    } | {
        name: tuple(float(f"{item:.4g}") for item in value)
        for name, value in schedule
        if isinstance(value, tuple) and value and isinstance(value[0], float)
    }
    try:
        return schedule.model_copy(update=short)
    except ValidationError:
        assume(False)


BASES = st.sampled_from([1.0, 0.3, 0.002])
LEAVES = [kind for kind, model in CATALOGUE.items() if not model(**model.examples[0]).children()]


@pytest.mark.parametrize("kind", LEAVES)
@settings(deadline=None)
@given(st.data(), BASES)
def test_what_the_sentence_of_a_kind_claims_is_so(kind, data, base):
    schedule = rounded(data.draw(schedules(depth=1, kinds={kind: CATALOGUE[kind]})))
    text = sentence(schedule)
    forms = [(form.fullmatch(text), check) for form, check in CLAIMS[kind]]
    found, check = next(((found, check) for found, check in forms if found), (None, None))
    assert found, text
    curve = Curve(schedule, base)
    with np.errstate(all="ignore"):
        rates = schedule.evaluate(np.arange(50.0), np.array([base]))
        assume(usable(rates).all() and rates.max() < 1e100)
        check(curve, found)


@settings(deadline=None)
@given(schedules(depth=3))
def test_no_sentence_has_a_plural_after_one_or_a_field_that_is_left_over(schedule):
    for line in in_words(schedule):
        assert not re.search(
            r"(?<![\d.,])(?<!, )1 (steps|metrics|times|cycles)\b|[{}]|None|\(\)", line
        ), line


@pytest.mark.parametrize(
    ("patience", "words"),
    [
        (0, "the base rate, times 0.5 after every metric without improvement"),
        (1, "the base rate, times 0.5 after 2 metrics in a row without improvement"),
        (10, "the base rate, times 0.5 after 11 metrics in a row without improvement"),
    ],
)
def test_a_plateau_falls_after_as_many_metrics_as_its_sentence_says(patience, words):
    schedule = KINDS["ReduceLROnPlateau"](factor=0.5, patience=patience)
    assert sentence(schedule) == words
    schedule = schedule.observe(1.0)
    for _ in range(patience):
        schedule = schedule.observe(2.0)
        assert schedule.lr(0, 1.0) == 1.0
    assert schedule.observe(2.0).lr(0, 1.0) == 0.5


HALVES = {"kind": "LinearDecayLR", "total_steps": 8}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "again every 8 steps"),
        ({"count": 1}, "the first 8 steps, after which the rate holds"),
        ({"count": 3}, "again every 8 steps, 3 times, after which the rate holds"),
        ({"shrink": 0.5}, "again every 8 steps, with 0.5 × its base rate"),
        ({"growth": 2.0}, "again after 8 steps, each cycle 2 × as long as the one before"),
    ],
)
def test_the_sentence_of_a_repeat_names_what_changes_from_cycle_to_cycle(fields, words):
    repeat = KINDS["RepeatLR"](scheduler=HALVES, period=8, **fields)
    assert sentence(repeat) == words
    _, child = in_words(repeat)
    assert child.startswith("  its schedule, LinearDecayLR: a straight line from")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "on the clock of the optimizer"),
        ({"shift": 1}, "on a clock shifted by 1 step"),
        ({"shift": -5}, "on a clock shifted by -5 steps"),
        ({"shift": "-2ep"}, "on a clock shifted by -2 epochs"),
        ({"every": 10}, "on a clock that moves every 10 steps"),
        ({"first": 3, "last": 9}, "on a clock that starts at step 3, that stops at step 9"),
    ],
)
def test_the_sentence_of_a_clock_names_what_is_other_than_the_optimizers(fields, words):
    assert sentence(KINDS["TimeLR"](scheduler=HALVES, **fields)) == words


def test_a_kind_without_words_is_named(monkeypatch):
    monkeypatch.setattr(KINDS["LinearDecayLR"], "words", "")
    assert [*in_words(KINDS["LinearDecayLR"](total_steps=8))] == ["LinearDecayLR."]
