# The learning rate of inverse_root.olm.json with base rate 0.1, by `olm export`.
LR_ARGS=(
    --train-iters 40
    --lr 0.1
    --min-lr 0.044721359549995794
    --lr-decay-style inverse-square-root
    --lr-warmup-iters 8
    --lr-decay-iters 40
)
