"""diffusers: the options of its scripts."""

from framework_keys import Place, Repository

_SCRIPTS = (
    "text_to_image/train_text_to_image_lora.py",
    "text_to_image/train_text_to_image.py",
    "text_to_image/train_text_to_image_sdxl.py",
    "dreambooth/train_dreambooth.py",
    "dreambooth/train_dreambooth_lora_flux.py",
    "controlnet/train_controlnet.py",
    "textual_inversion/textual_inversion.py",
    "unconditional_image_generation/train_unconditional.py",
    "advanced_diffusion_training/train_dreambooth_lora_sdxl_advanced.py",
)

PLACES = [
    Place(
        Repository("huggingface/diffusers", "58eb52c0803ea9af3abec60841c2a093bdf1f951"),
        f"arguments examples/{script}",
        "train.sh",
        "accelerate launch train.py --lr_scheduler cosine --learning_rate 1e-3 "
        "--lr_warmup_steps 10 --max_train_steps 100 <KEYS>",
    )
    for script in _SCRIPTS
]
