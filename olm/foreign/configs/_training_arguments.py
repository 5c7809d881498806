"""The keys of transformers' TrainingArguments, and those of files that add keys of their own."""

from __future__ import annotations

from olm.foreign.configs._config import Keys, names

TRANSLATED = names(
    "lr_scheduler_type lr_scheduler_kwargs learning_rate weight_decay adam_beta1 max_steps",
    "num_train_epochs warmup_steps warmup_ratio per_device_train_batch_size",
    "gradient_accumulation_steps dataloader_drop_last num_devices",
)

HARMLESS = names(
    "output_dir optim optim_args adam_beta2 adam_epsilon optim_target_modules max_grad_norm",
    "average_tokens_across_devices label_smoothing_factor bf16 fp16 bf16_full_eval fp16_full_eval",
    "tf32 activation_checkpointing activation_checkpointing_kwargs gradient_checkpointing",
    "gradient_checkpointing_kwargs torch_compile torch_compile_backend torch_compile_mode",
    "use_liger_kernel liger_kernel_config use_cache neftune_noise_alpha torch_empty_cache_steps",
    "logging_strategy logging_steps logging_first_step log_on_each_node logging_nan_inf_filter",
    "include_num_input_tokens_seen log_level log_level_replica disable_tqdm report_to run_name",
    "project trackio_space_id trackio_bucket_id trackio_static_space_id eval_strategy eval_steps",
    "eval_delay per_device_eval_batch_size prediction_loss_only eval_on_start",
    "eval_do_concat_batches eval_use_gather_object eval_accumulation_steps include_for_metrics",
    "batch_eval_metrics save_only_model save_strategy save_steps save_on_each_node",
    "save_total_limit enable_jit_checkpoint push_to_hub hub_token hub_private_repo hub_model_id",
    "hub_strategy hub_always_push hub_revision load_best_model_at_end metric_for_best_model",
    "greater_is_better ignore_data_skip restore_callback_states_from_checkpoint full_determinism",
    "seed data_seed use_cpu dataloader_num_workers dataloader_pin_memory",
    "dataloader_persistent_workers dataloader_prefetch_factor dataloader_multiprocessing_context",
    "dataloader_in_order remove_unused_columns label_names train_sampling_strategy",
    "length_column_name ddp_find_unused_parameters ddp_bucket_cap_mb ddp_broadcast_buffers",
    "ddp_static_graph ddp_backend ddp_timeout fsdp fsdp_config debug skip_memory_metrics do_train",
    "do_eval do_predict resume_from_checkpoint local_rank",
)
"""The fields of TrainingArguments that change no rate."""

FORMER = names(
    "evaluation_strategy overwrite_output_dir logging_dir group_by_length save_safetensors no_cuda",
    "fp16_backend fp16_opt_level half_precision_backend use_ipex jit_mode_eval tpu_num_cores",
    "tpu_metrics_debug past_index ray_scope torchdynamo mp_parameters use_mps_device jit_mode",
    "include_inputs_for_metrics include_tokens_per_second fsdp_min_num_params",
    "fsdp_transformer_layer_cls_to_wrap per_gpu_eval_batch_size gradient_checkpointing_method",
    "push_to_hub_model_id push_to_hub_organization push_to_hub_token adafactor",
)
"""Those of earlier versions."""

BESIDE = names(
    "() * command train_batch_size eval_batch_size total_train_batch_size total_eval_batch_size",
    "distributed_type mixed_precision_training optimizer attn_implementation beta",
    "ref_model_sync_steps precompute_ref_batch_size dataset_batch_size eval_steps_per_save",
    "preprocessing_batch_size lora_r lora_alpha lora_dropout lora_target_modules",
    "loraplus_lr_embedding",
)
"""The keys of scripts, of TRL and of model cards beside them that change no rate."""

OF_AN_EPOCH = {
    "auto_find_batch_size": "makes the batch smaller until it fits, so that no length is known",
    "split_batches": "splits the batches, which changes the length of an epoch",
    "dispatch_batches": "distributes the batches, which may change the length of an epoch",
    "parallelism_config": "shares the devices out, so that fewer of them have data of their own",
    "generation_batch_size": "changes how many steps an epoch has",
    "num_generations": "changes how many steps an epoch has",
    "steps_per_generation": "changes how many steps an epoch has",
    "num_iterations": "changes how many steps an epoch has",
}
"""The keys, also inside ``accelerator_config``, that matter where the steps of an epoch are counted
by the size of the data set."""

CHECKED = names("accelerator_config deepspeed") | frozenset(OF_AN_EPOCH)
"""The keys that change something only with a certain value, or in a certain case."""

REFUSED = {
    "per_gpu_train_batch_size": "is a former name of per_device_train_batch_size",
    "total_episodes": "is the length of a run of PPO, whose steps are counted otherwise",
    "num_ppo_epochs": "is of PPO, whose steps are counted otherwise",
    "loraplus_lr_ratio": "gives some parameters another rate",
}

KEYS = Keys(
    of="transformers' TrainingArguments",
    translated=TRANSLATED,
    harmless=HARMLESS | FORMER | BESIDE | CHECKED,
    refused=REFUSED,
)
