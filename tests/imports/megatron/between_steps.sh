python pretrain_gpt.py --global-batch-size 8 --train-iters 80 --lr 1e-3 --lr-decay-style cosine --lr-warmup-fraction 0.01
