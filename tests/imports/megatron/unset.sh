python pretrain_gpt.py --train-iters $ITERS --lr 1e-3 --lr-decay-style cosine --save $OUT
