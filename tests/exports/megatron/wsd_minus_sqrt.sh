# The learning rate of wsd_minus_sqrt.olm.json with base rate 0.1, by `olm export`.
LR_ARGS=(
    --train-iters 36
    --lr 0.1
    --min-lr 0.0
    --lr-decay-style WSD
    --lr-warmup-iters 6
    --lr-decay-iters 30
    --lr-wsd-decay-iters 12
    --lr-wsd-decay-style minus_sqrt
)
