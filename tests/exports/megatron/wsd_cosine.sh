# The learning rate of wsd_cosine.olm.json with base rate 0.1, by `olm export`.
LR_ARGS=(
    --train-iters 36
    --lr 0.1
    --min-lr 0.0
    --lr-decay-style WSD
    --lr-warmup-iters 0
    --lr-decay-iters 30
    --lr-wsd-decay-iters 12
    --lr-wsd-decay-style cosine
)
