# The learning rate of warmup_cosine_from_zero.olm.json with base rate 0.1, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.warmup_cosine_decay_schedule(
    init_value=0.0,
    peak_value=0.1,
    warmup_steps=6,
    decay_steps=30,
    end_value=0.010000000000000002,
)
