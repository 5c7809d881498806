"""Python that is read for its assignments: what may change a value makes it no constant."""

import pytest

import olm
from olm.foreign.configs._code import Code
from olm.foreign.configs._source import source_of
from olm.problem import SpecError


def values(text):
    return source_of(text, "config.py").value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x = 2\nx *= 3\n", 6),
        ("a, x = 1, 2\n", 2),
        ("x = dict(a=1)\nx['a'] = 2\n", {"a": 2}),
        ("y = dict(a=1)\nx = dict(b=2, **y)\n", {"b": 2, "a": 1}),
        ("k = 5\nx = {k: 0.1, **{7: 0.2}}\n", {5: 0.1, 7: 0.2}),
        ("with context():\n    x = 3\n", 3),
        ("x = 1\nif __name__ == '__main__':\n    x = 2\n", 2),
    ],
)
def test_an_assignment_that_needs_no_run_is_read(text, value):
    assert values(text)["x"] == value


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\nif large:\n    x = 2\n",
        "x = 1\nfor i in range(3):\n    x += 1\n",
        "x = [1]\nx.append(2)\n",
        "x = {'a': {'b': 1}}\nx['a']['b'] = 2\n",
        "x = {'a': [1]}\nx['a'].append(2)\n",
        "x = 1\nx, y = both()\n",
        "x = 1\ndel x\n",
        "x = dict(a=1, **options)\n",
        "x = {int(3.5): 0.1}\n",
        "x = 1\ntry:\n    x = 2\nexcept OSError:\n    pass\n",
    ],
)
def test_a_value_that_may_change_is_no_constant(text):
    assert isinstance(values(text)["x"], Code)


def test_the_assignments_of_a_function_are_under_its_name_and_its_arguments_are_unknown():
    found = values("rate = 1\ndef main(steps, *, rate):\n    half = steps / 2\n    two = 2\n")
    assert found["rate"] == 1
    assert found["main()"]["two"] == 2
    assert isinstance(found["main()"]["half"], Code)


@pytest.mark.parametrize("place", ["critic.*[0]", "main().schedule"])
def test_a_place_that_is_suggested_can_be_given(tmp_path, place):
    file = tmp_path / "train.py"
    file.write_text(
        "import optax\ncritic = optax.sgd(optax.constant_schedule(0.1))\n"
        "def main():\n    schedule = optax.constant_schedule(0.2)\n    tx = optax.adam(schedule)\n"
    )
    with pytest.raises(SpecError) as error:
        olm.import_config(file)
    assert place in error.value.problems[0].message
    lr = {"critic.*[0]": 0.1, "main().schedule": 0.2}[place]
    assert dict(olm.import_config(file, at=place).spec.optimizer)["lr"] == lr
