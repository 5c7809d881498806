python pretrain_gpt.py --global-batch-size 8 --train-iters 100 --lr 1e-3 --lr-decay-style inverse-square-root --lr-decay-iters 60 --lr-warmup-iters 7 --min-lr 1e-4
