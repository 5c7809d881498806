# The learning rate of cosine.olm.json with base rate 0.0003, by `olm export`.
LR_ARGS=(
    --train-iters 40
    --lr 0.0003
    --min-lr 2.9999999999999997e-05
    --lr-decay-style cosine
    --lr-warmup-iters 5
    --lr-decay-iters 30
)
