"""axolotl: the pydantic models of its configuration, and those of the parts that it names."""

from framework_keys import Package, Place

_SCHEMAS = "fields axolotl/utils/schemas"
_MODELS = (
    f"{_SCHEMAS}/config.py AxolotlInputConfig",
    f"{_SCHEMAS}/model.py ModelInputConfig ModelOutputConfig",
    f"{_SCHEMAS}/peft.py LoraConfig ReLoRAConfig",
    f"{_SCHEMAS}/training.py HyperparametersConfig JaggedLRConfig",
    f"{_SCHEMAS}/integrations.py WandbConfig MLFlowConfig CometConfig TrackioConfig LISAConfig"
    " OpenTelemetryConfig GradioConfig RayConfig",
    f"{_SCHEMAS}/multimodal.py MultiModalConfig",
    f"{_SCHEMAS}/deprecated.py RemappedParameters DeprecatedParameters",
)

PLACES = [
    Place(
        Package("axolotl", "0.19.0"),
        ";".join(_MODELS),
        "config.yaml",
        "{base_model: m, micro_batch_size: 1, learning_rate: 1e-3, lr_scheduler: cosine, "
        "warmup_steps: 10, max_steps: 100, <KEYS>}",
    )
]
