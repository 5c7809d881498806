"""Command lines and shell scripts as `olm import` reads them: nothing in them is run."""

import pytest

import olm
from olm.foreign.configs._code import Code
from olm.foreign.configs._source import source_of
from olm.problem import SpecError

SCRIPT = """\
#!/bin/bash
CHECKPOINT_PATH=$1
BATCH=32
GPT_ARGS="
    --num-layers 12 \\
    --global-batch-size $BATCH
"
GPT_ARGS+=" --lr 3.0e-4"
DATA_ARGS=(
    # the data
    --data-path $DATA
    --split 949,50,1
)
mkdir -p $CHECKPOINT_PATH; date
WORLD=`wc -l < hosts`
torchrun --nproc_per_node 8 train.py \\
    $GPT_ARGS "${DATA_ARGS[@]}" \\
    --nodes $WORLD --save ${CHECKPOINT_PATH}/run 2>&1 | tee log.txt
"""


def options(text):
    """The options of a shell text."""
    return source_of(text, "run.sh").value


def test_options_in_strings_and_arrays_are_read_where_they_are_used():
    read = options(SCRIPT)
    assert (read["num-layers"], read["global-batch-size"], read["lr"]) == ("12", "32", "3.0e-4")
    assert read["split"] == "949,50,1"
    assert read["nproc_per_node"] == ["8", "train.py"]


def test_what_is_not_known_matters_only_where_a_format_asks_for_it():
    read = options(SCRIPT)
    for name, code in (("data-path", "unset-variable"), ("save", "unset-variable"),
                       ("nodes", "needs-code")):  # fmt: skip
        value = read[name]
        assert isinstance(value, Code), name
        assert value.problem.code == code


def test_the_line_of_an_option_is_that_of_its_text_in_a_variable():
    place_of = source_of(SCRIPT, "run.sh").place_of
    assert [place_of((name,), True).line for name in ("num-layers", "lr", "save")] == [5, 8, 18]


@pytest.mark.parametrize("line", ["train $ARGS --lr 1", "train --amp ${EXTRA} --lr 1"])
def test_a_variable_of_options_that_is_not_set_is_an_error(line):
    with pytest.raises(SpecError) as error:
        options(line)
    assert error.value.problems[0].code == "unset-variable"


def test_a_path_in_a_variable_that_is_not_set_is_skipped():
    assert options("train $DATA --lr 1")["lr"] == "1"


def test_a_variable_that_a_condition_sets_would_have_to_be_run():
    read = options('LR=1\nif [ "$BIG" = 1 ]; then\n  LR=2\nfi\ntrain --lr $LR\n')
    assert read["lr"].problem.code == "needs-code"


def test_an_option_of_two_commands_with_different_values_is_not_one_schedule():
    read = options("train --lr 1 --epochs 2\ntrain --lr 3 --epochs 2\n")
    assert read["lr"].problem.code == "not-one-schedule"
    assert read["epochs"] == "2"


def test_the_command_of_another_shell_is_read():
    read = options('CMD="python train.py --lr 1"\nsrun bash -c "$CMD --epochs 3"\n')
    assert (read["lr"], read["epochs"]) == ("1", "3")


def test_a_text_of_arrays_that_another_script_sources_has_the_options(tmp_path):
    file = tmp_path / "args.sh"
    lines = ["--lr 1e-3", "--lr-decay-style cosine", "--train-iters 100"]
    file.write_text("\n".join(["ARGS=(", *lines, ")", 'NAME="a run"']))
    spec = olm.import_config(file).spec
    # Half of a cosine wave is half of the base rate.
    assert spec.lr(50, 1e-3) == pytest.approx(5e-4)
