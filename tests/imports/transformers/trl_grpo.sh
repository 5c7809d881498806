# Synthetic: a script of TRL with the arguments of its dataclasses.
accelerate launch --config_file=deepspeed_zero3.yaml --num_processes 8 examples/scripts/grpo_vlm.py \
    --model_name_or_path example/tiny-vl-3b \
    --output_dir grpo-tiny \
    --learning_rate 1e-5 \
    --lr_scheduler_type constant_with_warmup \
    --warmup_steps 20 \
    --max_steps 500 \
    --dtype bfloat16 \
    --max_completion_length 1024 \
    --use_vllm --vllm_mode colocate \
    --use_peft --lora_target_modules q_proj v_proj \
    --log_completions \
    --per_device_train_batch_size 8 \
    --num_generations 8 \
    --importance_sampling_level sequence \
    --epsilon 3e-4 --epsilon_high 4e-4 --beta 0.0 \
    --loss_type grpo --gradient_accumulation_steps 2
