"""Other frameworks' names for schedules: which kind is the schedule of that name, and with what."""

from __future__ import annotations

from dataclasses import dataclass

PACKAGES = {
    "axolotl",
    "colossalai",
    "composer",
    "deepspeed",
    "detectron2",
    "diffusers",
    "fairseq",
    "fairseq2",
    "fvcore",
    "ignite",
    "keras",
    "levanter",
    "lightning",
    "litgpt",
    "megatron",
    "mmengine",
    "monai",
    "nanotron",
    "nemo",
    "olmo_core",
    "optax",
    "paddle",
    "pytorch_optimizer",
    "pytorch_scheduler",
    "rsl_rl",
    "skrl",
    "speechbrain",
    "tensorflow",
    "tf",
    "timm",
    "torch",
    "torchtitan",
    "torchtune",
    "transformers",
}
"""The packages of frameworks: a name may have a module of one before it, as in Hydra."""


@dataclass(frozen=True)
class Peer:
    """A schedule of a framework: the kind that reproduces it, and the fields that make it equal."""

    framework: str
    kind: str
    fields: str = ""


FRAMEWORKS = {
    "ai2-olmo-core": "OLMo-core",
    "anyschedule": "AnySchedule",
    "colossalai": "ColossalAI",
    "deepspeed": "DeepSpeed",
    "keras": "Keras",
    "megatron-core": "Megatron",
    "mmengine-lite": "mmengine",
    "mosaicml": "Composer",
    "nemo_toolkit": "NeMo",
    "openlanguagemodel": "OpenLanguageModel",
    "openlanguagemodel/trainer": "OpenLanguageModel",
    "pytorch-ignite": "Ignite",
    "speechbrain": "SpeechBrain",
}
"""The names of frameworks whose distributions are called otherwise."""

COMPOSING = {
    "ChainedScheduler",
    "MaximumLR",
    "PhasesLR",
    "RepeatLR",
    "SequentialLR",
    "TimeLR",
}
"""The kinds that compose others: of a schedule's kinds, a hint names them last."""

OF_PACKAGES = {
    "composer": "Composer",
    "nemo": "NeMo",
    "olmo_core": "OLMo-core",
    "tensorflow": "Keras",
    "tf": "Keras",
}
"""The frameworks whose packages are called otherwise."""

_FROM_0 = "`start_factor: 0` and `end_factor: 1`"
_HOLD = Peer("transformers", "HoldLR")
_HOLD_AFTER_RISE = Peer("transformers", "RampLR", _FROM_0)
_COSINE = Peer("transformers", "WarmupDecayLR", "`decay: cosine`")
_TORCH_COSINE = Peer("torch", "CosineAnnealingLR")
_TIMM_COSINE = Peer("timm", "CosineAnnealingLR", "a `RampLR` before it for the warm-up")
_LINEAR = Peer("transformers", "WarmupDecayLR", "`decay: linear`")
_TORCH_LINEAR = Peer("torch", "LinearFactorLR")
_POLYNOMIAL = Peer("transformers", "WarmupDecayLR", "`decay: polynomial`")
_TORCH_POLYNOMIAL = Peer("torch", "PolynomialLR")
_RESTARTS = Peer("transformers", "RepeatLR", "`CosineAnnealingLR`, after a `RampLR`")
_TORCH_RESTARTS = Peer("torch", "CosineAnnealingWarmRestarts")
_WSD = Peer("transformers", "WarmupStableDecayLR", "`decay: cosine`")
_OLMO_WSD = Peer("OLMo-core", "WarmupStableDecayLR", "`decay: linear`")
_INVERSE_SQRT = Peer("transformers", "InverseSqrtLR")
_PLATEAU = Peer("torch", "ReduceLROnPlateau")
_NEW_BOB = Peer("SpeechBrain", "NewBobLR")
_KL_ADAPTIVE = Peer("skrl", "KLAdaptiveLR")
_ONE_CYCLE = Peer("torch", "OneCycleLR")
_DEEPSPEED_CYCLE = Peer("DeepSpeed", "SequentialLR", "two `RampLR`s")
_KERAS_COSINE = Peer("Keras", "RampLR", "`ease: cosine`")
_KERAS_EXPONENTIAL = Peer("Keras", "RampLR", "`space: log` and `past: extrapolate`")
_STEP = Peer("torch", "StepLR")
_TIMM_STEP = Peer("timm", "StepLR", "a `RampLR` before it for the warm-up")
_EXPONENTIAL = Peer("torch", "ExponentialLR")
_NO_FUNCTION = Peer("torch", "TableLR", "the values of the function")

NICKNAMES: dict[str, tuple[Peer, ...]] = {
    "constant": (_HOLD,),
    "constant_with_warmup": (_HOLD_AFTER_RISE,),
    "warmup_constant": (_HOLD_AFTER_RISE,),
    "warmup_constant_schedule": (Peer("optax", "RampLR", _FROM_0),),
    "constant_schedule": (Peer("optax", "HoldLR"),),
    "get_constant_schedule": (_HOLD,),
    "get_constant_schedule_with_warmup": (_HOLD_AFTER_RISE,),
    "cosine": (_COSINE, _TORCH_COSINE),
    "cosinelr": (_TORCH_COSINE, _TIMM_COSINE),
    "cosinelrscheduler": (_TIMM_COSINE,),
    "cosine_annealing": (_TORCH_COSINE,),
    "cosineannealing": (_TORCH_COSINE,),
    "cosine_with_warmup": (_COSINE,),
    "cosine_warmup": (_COSINE,),
    "warmup_cosine": (_COSINE, Peer("NeMo", "WarmupCosineScheduler")),
    "get_cosine_schedule_with_warmup": (_COSINE,),
    "cosine_decay": (_KERAS_COSINE, Peer("optax", "RampLR", "`ease: cosine`")),
    "cosinedecay": (_KERAS_COSINE,),
    "cosine_decay_schedule": (Peer("optax", "RampLR", "`ease: cosine`"),),
    "warmup_cosine_decay_schedule": (Peer("optax", "WarmupDecayLR", "`decay: cosine`"),),
    "cosine_with_min_lr": (
        Peer("transformers", "WarmupDecayLR", "`decay: cosine` and `end_factor`"),
    ),
    "get_cosine_with_min_lr_schedule_with_warmup": (
        Peer("transformers", "WarmupDecayLR", "`decay: cosine` and `end_factor`"),
    ),
    "cosine_with_restarts": (_RESTARTS, _TORCH_RESTARTS),
    "cosine_restarts": (_RESTARTS, _TORCH_RESTARTS),
    "sgdr": (_TORCH_RESTARTS,),
    "get_cosine_with_hard_restarts_schedule_with_warmup": (_RESTARTS,),
    "linear": (_LINEAR, _TORCH_LINEAR),
    "linear_with_warmup": (_LINEAR,),
    "linear_warmup": (Peer("transformers", "RampLR", _FROM_0),),
    "linear_schedule": (Peer("optax", "RampLR"),),
    "get_linear_schedule_with_warmup": (_LINEAR,),
    "polynomial": (_POLYNOMIAL, _TORCH_POLYNOMIAL),
    "poly": (_TORCH_POLYNOMIAL, Peer("timm", "RampLR", "`ease: polynomial`")),
    "polynomial_decay": (_POLYNOMIAL, Peer("Keras", "RampLR", "`ease: polynomial`")),
    "get_polynomial_decay_schedule_with_warmup": (_POLYNOMIAL,),
    "wsd": (_WSD, _OLMO_WSD),
    "warmup_stable_decay": (_WSD, _OLMO_WSD),
    "get_wsd_schedule": (_WSD, Peer("pytorch_optimizer", "WarmupStableDecayLR", "`decay: sqrt`")),
    "warmupstabledecay": (_WSD, _OLMO_WSD),
    "warmupcosineschedule": (_COSINE,),
    "warmuplinearschedule": (_LINEAR,),
    "warmupconstantschedule": (_HOLD_AFTER_RISE,),
    "noamannealing": (Peer("NeMo", "NoamLR"),),
    "plateaulrscheduler": (Peer("timm", "ReduceLROnPlateau"),),
    "trapezoidal": (_OLMO_WSD,),
    "trapezoid": (_OLMO_WSD,),
    "onecycle": (_ONE_CYCLE, _DEEPSPEED_CYCLE),
    "one_cycle": (_ONE_CYCLE, _DEEPSPEED_CYCLE),
    "1cycle": (_ONE_CYCLE,),
    "plateau": (_PLATEAU,),
    "reduce_lr_on_plateau": (_PLATEAU,),
    "newbob": (_NEW_BOB,),
    "new_bob": (_NEW_BOB,),
    "newbobscheduler": (_NEW_BOB,),
    "kl_adaptive": (_KL_ADAPTIVE,),
    "adaptive": (Peer("rsl_rl", "KLAdaptiveLR", "`positive_only: true`"),),
    "noam": (Peer("OpenNMT", "NoamLR"),),
    "inverse_sqrt": (_INVERSE_SQRT, Peer("fairseq", "InverseSqrtLR", "`start_factor`")),
    "inv_sqrt": (_INVERSE_SQRT,),
    "rsqrt": (_INVERSE_SQRT,),
    "inverse_square_root": (_INVERSE_SQRT,),
    "get_inverse_sqrt_schedule": (_INVERSE_SQRT,),
    "exponential": (_EXPONENTIAL,),
    "exponential_decay": (_KERAS_EXPONENTIAL, _EXPONENTIAL),
    "exponentialdecay": (_KERAS_EXPONENTIAL,),
    "step": (_STEP, _TIMM_STEP),
    "multistep": (Peer("torch", "MultiStepLR"),),
    "multi_step": (Peer("torch", "MultiStepLR"),),
    "piecewise_constant": (Peer("optax", "TableLR"),),
    "cyclic": (Peer("torch", "CyclicLR"),),
    "tri_stage": (Peer("fairseq", "TriStageLR"),),
    "tristage": (Peer("fairseq", "TriStageLR"),),
    "tanh": (Peer("timm", "TanhLR"),),
    "rex": (Peer("pytorch_optimizer", "RexLR"),),
    "linearlr": (_TORCH_LINEAR, Peer("OpenLanguageModel", "LinearLR")),
    "lambdalr": (_NO_FUNCTION,),
    "multiplicativelr": (_NO_FUNCTION,),
}
"""A name, in lower case with ``_`` → the schedules that frameworks have under it."""

SURE = {"constant": "HoldLR", "constant_schedule": "HoldLR", "get_constant_schedule": "HoldLR"}
"""The names that mean the same kind, whichever framework they come from."""

OF_TORCH = {
    "ChainedScheduler": "ChainedScheduler",
    "ConstantLR": "ConstantLR",
    "CosineAnnealingLR": "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts": "CosineAnnealingWarmRestarts",
    "CyclicLR": "CyclicLR",
    "ExponentialLR": "ExponentialLR",
    "LinearLR": "LinearFactorLR",
    "MultiStepLR": "MultiStepLR",
    "OneCycleLR": "OneCycleLR",
    "PolynomialLR": "PolynomialLR",
    "ReduceLROnPlateau": "ReduceLROnPlateau",
    "SequentialLR": "SequentialLR",
    "StepLR": "StepLR",
}
"""torch's classes → the kinds that reproduce them."""


DIFFERENCES = {
    "LinearLR": "torch's LinearLR is `LinearFactorLR` here, as is mmengine's",
    "PolynomialLR": "ColossalAI's PolynomialLR is a `RampLR` with `ease: polynomial` here",
    "WarmupLR": (
        "DeepSpeed's WarmupLR is a `RampLR` here, and its warm-up is logarithmic unless "
        "warmup_type is `linear`"
    ),
    "WarmupDecayLR": (
        "DeepSpeed's WarmupDecayLR has `decay: linear` here, and its warm-up is logarithmic unless "
        "warmup_type is `linear`"
    ),
}
"""The kinds that another framework's schedule of the same name differs from, and how."""


def difference(kind: str) -> str:
    """How another framework's schedule differs from the kind of the same name; empty if none does.

    >>> difference("LinearLR")
    "torch's LinearLR is `LinearFactorLR` here, as is mmengine's"
    """
    return DIFFERENCES.get(kind, "")


def key(name: str) -> str:
    """A name as `NICKNAMES` has it."""
    return name.lower().replace("-", "_")
