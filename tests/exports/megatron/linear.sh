# The learning rate of linear.olm.json with base rate 0.0003, by `olm export`.
LR_ARGS=(
    --train-iters 30
    --lr 0.0003
    --min-lr 1e-05
    --lr-decay-style linear
    --lr-warmup-iters 0
    --lr-decay-iters 20
)
