#!/bin/bash
LR=3e-4
torchrun --nproc_per_node 8 run_clm.py \
  --model_name_or_path example/tiny \
  --learning-rate $LR \
  --lr_scheduler_type cosine_with_restarts \
  --lr_scheduler_kwargs '{"num_cycles": 3}' \
  --warmup_steps 0.05 \
  --max_steps=1000 --bf16 --do_train
