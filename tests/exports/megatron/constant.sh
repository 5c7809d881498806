# The learning rate of constant.olm.json with base rate 0.1, by `olm export`.
LR_ARGS=(
    --train-iters 20
    --lr 0.1
    --min-lr 0.0
    --lr-decay-style constant
    --lr-warmup-iters 8
    --lr-decay-iters 20
    --lr-warmup-init 0.01
)
