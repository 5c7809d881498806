"""Megatron-LM: the options of its parser, also those that it makes of dataclasses."""

from framework_keys import Place, Repository

_OPTIONS = (
    "arguments megatron/training/arguments.py",
    "options megatron/training/config/training_config.py TrainingConfig ValidationConfig"
    " SchedulerConfig LoggerConfig CheckpointConfig TokenizerConfig",
    "options megatron/training/config/common_config.py RNGConfig ProfilingConfig"
    " DistributedInitConfig",
    "options megatron/training/config/resilience_config.py RerunStateMachineConfig"
    " StragglerDetectionConfig",
    "options megatron/core/fault_injector.py FaultInjectorConfig",
    "options megatron/core/model_parallel_config.py ModelParallelConfig",
    "options megatron/core/transformer/transformer_config.py TransformerConfig",
)

PLACES = [
    Place(
        Repository("NVIDIA/Megatron-LM", "d98e8a64ddf34856e74b24714e3bedb2f5a39553"),
        ";".join(_OPTIONS),
        "train.sh",
        "torchrun pretrain_gpt.py --lr 1e-3 --train-iters 100 --lr-decay-style cosine "
        "--lr-warmup-iters 10 <KEYS>",
    )
]
