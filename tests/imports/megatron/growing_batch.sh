#!/bin/bash
CHECKPOINT_PATH=$1
GPT_ARGS="
    --num-layers 12 \
    --micro-batch-size 1
    --global-batch-size 32
    --rampup-batch-size 8 4 300
    --train-samples 2_001 \
    --lr 3.0e-4 --min-lr 1e-5 --lr-decay-style cosine --lr-warmup-samples 33
"
mkdir -p $CHECKPOINT_PATH
torchrun --nproc_per_node 8 pretrain_gpt.py \
    $GPT_ARGS \
    --adam-beta1 0.9 --adam-beta2 0.95 --weight-decay 0.1 \
    --save $CHECKPOINT_PATH --distributed-backend nccl
