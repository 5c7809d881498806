"""Several optimizers as one: Muon and AdamW on a real model, and all that torch does to one."""

import copy
import functools
import gc
import pickle
import weakref
from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch.amp import GradScaler
from torch.distributed.checkpoint.state_dict import (
    get_optimizer_state_dict,
    get_state_dict,
    set_state_dict,
)
from torch.optim import LBFGS, SGD, AdamW, Muon
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

import olm
from olm.schedule.evaluation import all_usable
from olm.train import Optimizers
from strategies import schedules
from training import EXAMPLES, optimizer_of, rates_of, trained, wanted

LINEAR = {"kind": "LinearLR", "total_steps": 10}
WARMED = {"kind": "WarmupDecayLR", "warmup_steps": 4, "total_steps": 30}
BASES = (0.05, 0.01, 0.02)


def parameter(*shape):
    return torch.nn.Parameter(torch.ones(shape or (2,)))


def pair(first=0.5, second=0.1, **options):
    """Two optimizers as one, with a param group each."""
    return Optimizers(
        matrices=SGD([parameter(2, 2)], lr=first, **options),
        rest=AdamW([parameter()], lr=second),
    )


def late_group(**numbers):
    return {"params": [parameter()], **numbers}


def loss_of(optimizer):
    parameters = chain.from_iterable(group["params"] for group in optimizer.param_groups)
    return sum(parameter.square().sum() for parameter in parameters)


@functools.cache
def digits():
    images, labels = load_digits(return_X_y=True)
    return torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)


class Digits:
    """A network that learns scikit-learn's digits: Muon for its matrix, AdamW for the rest."""

    def __init__(self, document=WARMED):
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(
            torch.nn.Linear(64, 48),
            torch.nn.LayerNorm(48),
            torch.nn.Tanh(),
            torch.nn.Linear(48, 10),
        )
        hidden, norm, _, head = self.model
        self.optimizer = Optimizers(
            muon=Muon([hidden.weight], lr=BASES[0], momentum=0.9),
            adamw=AdamW(
                [
                    {"params": [hidden.bias, *norm.parameters()], "lr": BASES[1]},
                    {"params": head.parameters(), "lr": BASES[2], "name": "head"},
                ]
            ),
        )
        self.scheduler = olm.build(document, self.optimizer)
        self.images, self.labels = digits()

    def train(self, steps):
        """The rates and the loss of each step. The images of a step depend on the step alone."""
        history = []
        for _ in range(steps):
            order = torch.Generator().manual_seed(self.scheduler.last_epoch)
            chosen = torch.randint(len(self.labels), (128,), generator=order)
            self.optimizer.zero_grad()
            output = self.model(self.images[chosen])
            loss = torch.nn.functional.cross_entropy(output, self.labels[chosen])
            loss.backward()
            history.append((rates_of(self.optimizer), loss.item()))
            self.optimizer.step()
            self.scheduler.step()
        return history

    def weights(self):
        return torch.cat([parameter.detach().flatten() for parameter in self.model.parameters()])

    def parts(self):
        return {"model": self.model, "optimizer": self.optimizer, "scheduler": self.scheduler}


@pytest.mark.parametrize("order", [("optimizer", "scheduler"), ("scheduler", "optimizer")])
def test_muon_and_adamw_learn_the_digits_and_resume_bit_for_bit(order, tmp_path):
    whole = Digits()
    history = whole.train(30)
    assert history[-1][1] < 0.5 < 2 < history[0][1]
    assert [rates for rates, _ in history] == wanted(WARMED, 30, BASES)

    first = Digits()
    before = first.train(13)
    torch.save({name: part.state_dict() for name, part in first.parts().items()}, tmp_path / "13")
    saved = torch.load(tmp_path / "13", weights_only=True)
    second = Digits()
    for name in ("model", *order):
        second.parts()[name].load_state_dict(saved[name])
    assert before + second.train(17) == history
    assert torch.equal(second.weights(), whole.weights())


def test_a_resumed_state_may_be_the_spec():
    whole, first, second = Digits(), Digits(), Digits()
    history = whole.train(20)
    before = first.train(8)
    second.model.load_state_dict(first.model.state_dict())
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    second.scheduler = olm.build(first.scheduler.state_dict(), second.optimizer)
    assert before + second.train(12) == history


def test_two_parts_train_as_two_optimizers_with_a_scheduler_each_do():
    ours, theirs = Digits(), Digits()
    parts = theirs.optimizer.parts
    schedulers = [olm.build(WARMED, part) for part in parts.values()]
    history = []
    for step in range(20):
        order = torch.Generator().manual_seed(step)
        chosen = torch.randint(len(theirs.labels), (128,), generator=order)
        theirs.model.zero_grad()
        output = theirs.model(theirs.images[chosen])
        loss = torch.nn.functional.cross_entropy(output, theirs.labels[chosen])
        loss.backward()
        history.append((rates_of(parts["muon"]) + rates_of(parts["adamw"]), loss.item()))
        for part, scheduler in zip(parts.values(), schedulers, strict=True):
            part.step()
            scheduler.step()
    assert ours.train(20) == history
    assert torch.equal(ours.weights(), theirs.weights())


@pytest.mark.parametrize("document", EXAMPLES)
def test_every_kind_sets_the_rates_of_all_parts(document):
    assert trained(olm.build(document, pair()), 40) == wanted(document, 40, (0.5, 0.1))


def test_build_joins_a_mapping_of_optimizers():
    matrices, rest = pair().parts.values()
    scheduler = olm.build(LINEAR, {"matrices": matrices, "rest": rest})
    assert isinstance(scheduler.optimizer, Optimizers)
    assert scheduler.optimizer.parts == {"matrices": matrices, "rest": rest}
    matrices.step()
    rest.step()
    scheduler.step()
    assert rates_of(matrices) + rates_of(rest) == wanted(LINEAR, 2, (0.5, 0.1))[1]


def test_an_invalid_spec_touches_no_part():
    matrices, rest = pair().parts.values()
    with pytest.raises(olm.SpecError):
        olm.build({"kind": "LinearLR"}, {"matrices": matrices, "rest": rest})
    with pytest.raises(olm.RateError):
        olm.build(LINEAR, {"matrices": matrices, "rest": optimizer_of(float("nan"))})
    assert "initial_lr" not in matrices.param_groups[0]


def test_groups_are_named_after_their_part_and_their_own_name_or_place():
    optimizer = Digits().optimizer
    optimizer.parts["muon"].add_param_group(late_group(params=[parameter(2, 2)]))
    assert optimizer.group_names() == ["muon/0", "muon/1", "adamw/0", "adamw/head"]
    assert len(optimizer.group_names()) == len(optimizer.param_groups)


# Groups, state and defaults.


def test_groups_are_those_of_the_parts_also_after_a_load():
    optimizer = pair()
    for _ in range(2):
        first, second = optimizer.param_groups
        assert first is optimizer.parts["matrices"].param_groups[0]
        assert second is optimizer.parts["rest"].param_groups[0]
        optimizer.load_state_dict(optimizer.state_dict())
    assert optimizer.param_groups[0] is not first


def test_a_group_is_added_to_a_part_and_never_to_the_whole():
    optimizer = pair()
    message = r'call add_param_group of parts\["matrices"\] or parts\["rest"\]'
    with pytest.raises(olm.OlmError, match=message):
        optimizer.add_param_group(late_group())
    groups = optimizer.param_groups
    changes = [
        lambda: groups.append({}),
        lambda: groups.pop(),
        lambda: groups.__setitem__(0, {}),
        lambda: groups.__delitem__(0),
        lambda: groups.extend([{}]),
        lambda: groups.sort(),
        lambda: groups.__iadd__([{}]),
    ]
    for change in changes:
        with pytest.raises(olm.OlmError, match="change the param_groups of a part"):
            change()
    for name in ("param_groups", "state"):
        with pytest.raises(olm.OlmError, match=rf"{name} (are those|is that) of the parts"):
            setattr(optimizer, name, [])
    assert len(optimizer.param_groups) == 2
    assert type(copy.deepcopy(groups)) is type(pickle.loads(pickle.dumps(groups))) is list


@pytest.mark.parametrize("loads", [0, 1])
def test_a_group_that_joins_the_first_part_moves_no_base_rate_of_the_second(loads):
    """In the list of all groups, the late group is before those of the second part."""
    optimizer = pair()
    scheduler = olm.build(LINEAR, optimizer)
    trained(scheduler, 2)
    optimizer.parts["matrices"].add_param_group(late_group(lr=0.04))
    for _ in range(loads):
        # A state without base rates, as of an optimizer that had no scheduler.
        state = optimizer.state_dict()
        for group in chain.from_iterable(part["param_groups"] for part in state.values()):
            group.pop("initial_lr", None)
        optimizer.load_state_dict(state)
    assert trained(scheduler, 3)[1:] == wanted(LINEAR, 2, (0.5, 0.05, 0.1), start=3)
    assert scheduler.base_lrs == [0.5, 0.05, 0.1]
    assert [group["initial_lr"] for group in optimizer.param_groups] == [0.5, 0.05, 0.1]


def test_a_group_that_leaves_a_part_is_an_error_at_the_next_step():
    optimizer = pair()
    scheduler = olm.build(LINEAR, optimizer)
    optimizer.step()
    optimizer.parts["matrices"].param_groups.clear()
    with pytest.raises(olm.StateError, match="has 1 param group, but this scheduler was built for"):
        scheduler.step()
    assert rates_of(optimizer) == [0.1]


def test_the_state_is_that_of_the_parts():
    optimizer = pair(momentum=0.9)
    matrix, vector = (group["params"][0] for group in optimizer.param_groups)
    assert not optimizer.state
    assert vector not in optimizer.state
    loss_of(optimizer).backward()
    optimizer.step()
    assert [*optimizer.state] == [matrix, vector]
    assert optimizer.state[vector] is optimizer.parts["rest"].state[vector]
    optimizer.state[matrix]["momentum_buffer"].zero_()
    assert not optimizer.parts["matrices"].state[matrix]["momentum_buffer"].any()
    optimizer.state[vector] = {"step": 7}
    assert optimizer.parts["rest"].state[vector] == {"step": 7}
    assert len(optimizer.state) == 2
    assert optimizer.state[vector] == {"step": 7}
    del optimizer.state[vector]
    assert [*optimizer.parts["rest"].state] == []
    # As in torch, reading the state of a parameter that has none creates it; of a stranger, never.
    assert optimizer.state[vector] == {}
    with pytest.raises(KeyError, match="a parameter of none of the parts"):
        optimizer.state[parameter()]
    assert [*optimizer.state] == [matrix, vector]


def test_defaults_are_what_all_parts_have():
    defaults = pair().defaults
    assert defaults["weight_decay"] == 0
    assert "betas" not in defaults
    assert "betas" in Optimizers(a=AdamW([parameter()]), b=AdamW([parameter()])).defaults
    with pytest.raises(ValueError, match="must support momentum or beta1"):
        OneCycleLR(pair(), 0.1, total_steps=10)


def test_the_text_of_several_optimizers_has_that_of_each():
    text = repr(pair())
    assert text.startswith("Optimizers (\nmatrices: SGD (\nParameter Group 0\n")
    assert "\nrest: AdamW (\n" in text


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "there is no optimizer: pass at least one"),
        ({"a/b": SGD([parameter()])}, "the name of a part must be an identifier .*, found 'a/b'"),
        ({"state": SGD([parameter()])}, "the name of a part must be .*, found 'state'"),
        ({"a": LBFGS([parameter()])}, "a: the step of LBFGS needs a closure"),
        ({"a": pair()}, "a consists of several optimizers: pass each of them"),
    ],
)
def test_parts_that_cannot_be_joined_are_refused(parts, message):
    with pytest.raises(olm.OlmError, match=message):
        Optimizers(**parts)
    with pytest.raises(olm.OlmError, match=message):
        olm.build(LINEAR, parts)


def test_parts_that_share_a_parameter_are_refused():
    both = parameter()
    with pytest.raises(olm.OlmError, match="`a` and `b` have a parameter in common"):
        Optimizers(a=SGD([both]), b=AdamW([parameter(), both]))


def test_a_part_that_is_no_optimizer_is_a_type_error():
    with pytest.raises(TypeError, match="adamw must be a torch Optimizer, found list"):
        Optimizers(adamw=[parameter()])


# Steps.


def test_a_closure_is_called_once_with_gradients_before_any_part_steps():
    optimizer = pair(0.5, 0.25)
    matrix, vector = (group["params"][0] for group in optimizer.param_groups)
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = loss_of(optimizer)
        loss.backward()
        losses.append(loss.item())
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 6
        assert optimizer.step(closure=closure).item() == losses[1]
    assert len(losses) == 2
    assert not matrix.any()
    assert vector.max() < 0.6


@pytest.mark.parametrize("to_none", [True, False])
def test_zero_grad_reaches_all_parts(to_none):
    optimizer = pair()
    loss_of(optimizer).backward()
    optimizer.zero_grad(set_to_none=to_none)
    gradients = [group["params"][0].grad for group in optimizer.param_groups]
    assert all(grad is None if to_none else not grad.any() for grad in gradients)
    loss_of(optimizer).backward()
    optimizer.zero_grad()
    assert optimizer.param_groups[1]["params"][0].grad is None


def test_hooks_of_the_whole_and_of_the_parts_are_called_once_per_step():
    optimizer, calls = pair(), []
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    for name, part in optimizer.parts.items():
        part.register_step_pre_hook(lambda *_, name=name: calls.append(name))
    optimizer.step()
    assert calls == ["before", "matrices", "rest", "after"]


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("alone", [False, True])
def test_a_step_that_the_grad_scaler_skips_does_not_advance_the_schedule(fused, alone):
    optimizer = Optimizers(
        sgd=SGD([parameter()], lr=0.5), adamw=AdamW([parameter()], lr=0.1, fused=fused)
    )
    scheduler = olm.build(LINEAR, optimizer, only_if_stepped=True)
    scaler = GradScaler("cpu", init_scale=2.0)
    positions, weights = [], []
    for finite in (True, False, False, True, True):
        optimizer.zero_grad()
        scaler.scale(loss_of(optimizer) * (1.0 if finite else float("inf"))).backward()
        for stepped in optimizer.parts.values() if alone else (optimizer,):
            scaler.step(stepped)
        scaler.update()
        scheduler.step()
        positions.append(scheduler.last_epoch)
        weights.append(optimizer.param_groups[1]["params"][0].tolist())
    assert positions == [1, 1, 1, 2, 3]
    assert rates_of(optimizer) == wanted(LINEAR, 4, (0.5, 0.1))[3]
    assert weights[0] == weights[2] != weights[3]


def test_the_grad_scaler_unscales_the_gradients_of_all_parts():
    optimizer = pair()
    scaler = GradScaler("cpu", init_scale=8.0)
    scaler.scale(loss_of(optimizer)).backward()
    scaler.unscale_(optimizer)
    assert all(group["params"][0].grad.eq(2).all() for group in optimizer.param_groups)


def test_the_step_of_one_part_is_a_step(recwarn):
    optimizer = pair()
    scheduler = olm.build(LINEAR, optimizer, only_if_stepped=True)
    scheduler.step()
    assert scheduler.last_epoch == 0
    for part in optimizer.parts.values():
        part.step()
        scheduler.step()
    assert scheduler.last_epoch == 2
    olm.build(LINEAR, optimizer).step()
    assert not recwarn.list


@pytest.mark.parametrize("make", [lambda optimizer: olm.build(LINEAR, optimizer), None])
def test_a_scheduler_that_steps_first_warns(make):
    make = make or (lambda optimizer: LambdaLR(optimizer, lambda step: 1.0))
    scheduler = make(pair())
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()


@pytest.mark.parametrize("alone", [False, True])
def test_lambdalr_of_torch_sets_the_rates_of_all_parts(alone, recwarn):
    optimizer = pair()
    scheduler = LambdaLR(optimizer, olm.multiplier({"kind": "LinearDecayLR", "total_steps": 10}))
    for _ in range(3):
        for stepped in optimizer.parts.values() if alone else (optimizer,):
            stepped.step()
        scheduler.step()
    assert rates_of(optimizer) == [pytest.approx(0.35), pytest.approx(0.07)]
    second = pair()
    resumed = LambdaLR(second, olm.multiplier({"kind": "LinearDecayLR", "total_steps": 10}))
    second.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    second.step()
    resumed.step()
    assert rates_of(second) == [pytest.approx(0.3), pytest.approx(0.06)]
    assert not recwarn.list


# A warning of torch, when its compiler is imported.
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_compiled_step_is_compiled_once_for_rates_that_are_tensors():
    torch._dynamo.reset()
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    def tensors(make, lr):
        return make([parameter()], lr=torch.tensor(lr), foreach=False)

    optimizer = Optimizers(a=tensors(SGD, 0.5), b=tensors(AdamW, 0.1))
    plain = Optimizers(a=tensors(SGD, 0.5), b=tensors(AdamW, 0.1))
    scheduler, reference = olm.build(LINEAR, optimizer), olm.build(LINEAR, plain)
    step, counts = torch.compile(optimizer.step, backend=backend), []
    for _ in range(8):
        for stepped in (optimizer, plain):
            stepped.zero_grad()
            loss_of(stepped).backward()
        step()
        scheduler.step()
        plain.step()
        reference.step()
        counts.append(len(graphs))
    assert counts[0] >= 2
    assert counts[2:] == [counts[2]] * 6
    assert scheduler.last_epoch == 8
    for ours, theirs in zip(optimizer.param_groups, plain.param_groups, strict=True):
        torch.testing.assert_close(ours["params"], theirs["params"])


OPERATIONS = st.sampled_from(["step", "add", "reload", "resume", "reverse", "copy"])


@given(
    schedule=schedules(),
    bases=st.lists(st.sampled_from([0.5, 0.1, 3e-4]), min_size=2, max_size=2),
    operations=st.lists(st.tuples(OPERATIONS, st.integers(0, 1)), max_size=12),
)
def test_a_scheduler_of_all_parts_does_what_one_scheduler_for_each_part_does(
    schedule, bases, operations
):
    assume(not schedule.metric_driven)
    # A schedule with a rate below 0 cannot be built, nor stepped there.
    rates = schedule.evaluate(np.arange(14.0)[:, None], np.array([[0.5, 0.2, 0.1, 3e-4]]))
    assume(all_usable(rates))
    ours = olm.build(schedule, Optimizers(a=optimizer_of(bases[0]), b=optimizer_of(bases[1])))
    theirs = [olm.build(schedule, optimizer_of(base)) for base in bases]
    for name, place in operations:
        whole = ours.optimizer
        part, alone = [*whole.parts.values()][place], theirs[place].optimizer
        if name == "step":
            whole.step()
            ours.step()
            for scheduler in theirs:
                scheduler.optimizer.step()
                scheduler.step()
        for changed in (part, alone):
            if name == "add":
                changed.add_param_group(late_group(lr=0.2, initial_lr=0.2))
            elif name == "reload":
                changed.load_state_dict(copy.deepcopy(changed.state_dict()))
            elif name == "reverse":
                changed.param_groups.reverse()
        if name == "resume":
            whole.load_state_dict(copy.deepcopy(whole.state_dict()))
            ours.load_state_dict(ours.state_dict())
            for scheduler in theirs:
                scheduler.load_state_dict(scheduler.state_dict())
        elif name == "copy":
            ours, theirs = copy.deepcopy(ours), copy.deepcopy(theirs)
        apart = [scheduler.optimizer for scheduler in theirs]
        assert rates_of(ours.optimizer) == [rate for part in apart for rate in rates_of(part)]
        assert ours.state_dict()["base_lrs"] == [
            base for scheduler in theirs for base in scheduler.state_dict()["base_lrs"]
        ]


# States.


def test_a_state_holds_those_of_the_parts_by_name():
    optimizer = pair(momentum=0.9)
    loss_of(optimizer).backward()
    optimizer.step()
    state = optimizer.state_dict()
    assert [*state] == ["matrices", "rest"]
    assert state["rest"]["param_groups"] == optimizer.parts["rest"].state_dict()["param_groups"]
    other = pair(momentum=0.9)
    other.parts["matrices"].load_state_dict(state["matrices"])
    assert len(other.state) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("rest"), "is a state of matrices, but the parts are matrices and rest"),
        (lambda s: s.update(more=s["rest"]), "of matrices, rest and more, but the parts are"),
        (lambda s: s.clear(), "of no optimizer, but"),
        (lambda s: s.update(rest=None), "rest: the state must be a mapping with state and param"),
        (
            lambda s: s["rest"]["param_groups"].append({}),
            "rest: the state does not load: .* groups",
        ),
        (lambda s: s["rest"]["param_groups"][0].pop("params"), "rest: the state does not load"),
    ],
)
def test_a_state_that_does_not_fit_is_an_error_and_changes_no_part(change, message):
    source = pair(0.4, 0.2, momentum=0.9)
    loss_of(source).backward()
    source.step()
    optimizer = pair()
    scheduler = olm.build(LINEAR, optimizer, on_change="spec")
    trained(scheduler, 2)
    groups, state = [*optimizer.param_groups], copy.deepcopy(source.state_dict())
    change(state)
    with pytest.raises(olm.StateError, match=message):
        optimizer.load_state_dict(state)
    assert all(new is old for new, old in zip(optimizer.param_groups, groups, strict=True))
    assert len(optimizer.state) == 0
    assert trained(scheduler, 2) == wanted(LINEAR, 2, (0.5, 0.1), start=2)


def test_the_state_of_a_single_optimizer_is_refused():
    with pytest.raises(olm.StateError, match="load the state of a single optimizer into its part"):
        pair().load_state_dict(optimizer_of(0.5, 0.1).state_dict())


def test_hooks_see_and_change_the_state():
    optimizer, calls = pair(), []
    optimizer.register_state_dict_pre_hook(lambda optimizer: calls.append("save"))
    optimizer.register_state_dict_post_hook(lambda _, state: {**state, "version": 2})
    optimizer.register_load_state_dict_pre_hook(
        lambda _, state: {key: state[key] for key in state if key != "version"}
    )
    optimizer.register_load_state_dict_post_hook(lambda optimizer: calls.append("loaded"))
    state = optimizer.state_dict()
    assert state["version"] == 2
    optimizer.load_state_dict(state)
    assert state["version"] == 2
    assert calls == ["save", "loaded"]


@pytest.mark.parametrize("whole", [True, False])
def test_a_load_of_any_part_keeps_the_rates_that_the_caller_chose(whole):
    old = pair(0.4, 0.2)
    trained(olm.build(LINEAR, old), 5)
    optimizer = pair()
    scheduler = olm.build(LINEAR, optimizer)
    scheduler.load_state_dict({**olm.build(LINEAR, pair()).state_dict()}, on_change="spec")
    trained(scheduler, 3)
    if whole:
        optimizer.load_state_dict(old.state_dict())
    else:
        optimizer.parts["rest"].load_state_dict(old.parts["rest"].state_dict())
    assert trained(scheduler, 2) == wanted(LINEAR, 2, (0.5, 0.1), start=3)
    assert [group["initial_lr"] for group in optimizer.param_groups] == [0.5, 0.1]


def reason_for_parts():
    return pytest.raises(olm.OlmError, match=r"get_state_dict\(model, \[\*optimizer.parts.values")


def test_distributed_checkpoints_refuse_the_whole_and_take_the_parts():
    run, other = Digits(), Digits()
    run.train(3)
    with reason_for_parts():
        get_optimizer_state_dict(run.model, run.optimizer)
    with reason_for_parts():
        get_state_dict(other.model, other.optimizer)
    # The states are those of the live tensors.
    weights, state = copy.deepcopy(get_state_dict(run.model, [*run.optimizer.parts.values()]))
    resumed = Digits()
    set_state_dict(
        resumed.model,
        [*resumed.optimizer.parts.values()],
        model_state_dict=weights,
        optim_state_dict=state,
    )
    resumed.scheduler.load_state_dict(run.scheduler.state_dict())
    assert resumed.train(5) == run.train(5)
    with pytest.raises(olm.StateError, match="load the state of a single optimizer into its part"):
        set_state_dict(
            other.model, other.optimizer, model_state_dict=weights, optim_state_dict=state
        )


# Copies.


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda run: pickle.loads(pickle.dumps(run))])
def test_copies_train_like_the_original_and_apart_from_it(copied, recwarn):
    run = Digits()
    run.train(5)
    other = copied(run)
    assert [*other.optimizer.parts] == ["muon", "adamw"]
    assert other.scheduler.optimizer is other.optimizer
    assert other.train(6) == run.train(6)
    assert torch.equal(other.weights(), run.weights())
    run.train(1)
    assert other.scheduler.last_epoch == run.scheduler.last_epoch - 1
    assert not recwarn.list


def test_a_copied_optimizer_has_the_hooks_of_its_own_scheduler():
    scheduler = copy.deepcopy(olm.build(LINEAR, pair(), only_if_stepped=True))
    scheduler.step()
    assert scheduler.last_epoch == 0
    scheduler.optimizer.parts["rest"].step()
    scheduler.step()
    assert scheduler.last_epoch == 1


def test_parts_keep_neither_the_whole_nor_its_scheduler_alive():
    optimizer = pair()
    parts = [*optimizer.parts.values()]
    scheduler = olm.build(LINEAR, optimizer)
    trained(scheduler, 2)
    living = weakref.ref(optimizer), weakref.ref(scheduler)
    del optimizer, scheduler
    gc.collect()
    assert [reference() for reference in living] == [None, None]
    for part in parts:
        part.step()


# Two schedulers.


def test_a_scheduler_of_all_parts_and_one_of_a_part_that_take_turns_are_an_error():
    optimizer = pair()
    whole = olm.build(LINEAR, optimizer)
    part = olm.build({"kind": "WarmupLR", "warmup_steps": 4}, optimizer.parts["rest"])
    trained(whole, 2)
    part.step()
    with pytest.raises(olm.OlmError, match="each overwrites the rates of the other"):
        whole.step()
    part.step()
    another = olm.build(LINEAR, optimizer)
    another.step()
    with pytest.raises(olm.OlmError, match="each overwrites the rates of the other"):
        part.step()


def test_schedulers_of_different_parts_take_no_turns():
    optimizer = pair()
    whole = olm.build(LINEAR, optimizer)
    trained(whole, 1)
    schedulers = [olm.build(LINEAR, part) for part in optimizer.parts.values()]
    for _ in range(3):
        for part, scheduler in zip(optimizer.parts.values(), schedulers, strict=True):
            part.step()
            scheduler.step()
    assert rates_of(optimizer) == wanted(LINEAR, 4, (0.5, 0.1))[3]


def test_two_wholes_with_the_same_part_that_take_turns_are_an_error():
    a, b, c = (optimizer_of(1.0) for _ in range(3))
    first, second = olm.build(LINEAR, {"a": a, "b": b}), olm.build(LINEAR, {"b": b, "c": c})
    for part in (a, b, c):
        part.step()
    first.step()
    second.step()
    with pytest.raises(olm.OlmError, match="each overwrites the rates of the other"):
        first.step()
