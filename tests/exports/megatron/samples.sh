# The learning rate of samples.olm.json with base rate 0.1, by `olm export`.
LR_ARGS=(
    --train-samples 640
    --global-batch-size 16
    --lr 0.1
    --min-lr 0.0
    --lr-decay-style linear
    --lr-warmup-samples 33
    --lr-decay-samples 630
)
