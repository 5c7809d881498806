# The learning rate of growing_batch.olm.json with base rate 0.0003, by `olm export`.
LR_ARGS=(
    --train-samples 1948
    --rampup-batch-size 8 4 300
    --global-batch-size 32
    --lr 0.0003
    --min-lr 2.9999999999999997e-05
    --lr-decay-style cosine
    --lr-warmup-samples 33
    --lr-decay-samples 2001
)
