# The learning rate of restarts.olm.json with base rate 0.1, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.join_schedules(
    schedules=[
        optax.cosine_decay_schedule(
            init_value=0.1,
            decay_steps=8,
            alpha=0.00010000000000010001,
        ),
        optax.cosine_decay_schedule(
            init_value=0.1,
            decay_steps=16,
            alpha=9.999999999996123e-05,
        ),
        optax.cosine_decay_schedule(
            init_value=0.1,
            decay_steps=32,
            alpha=0.00010000000000010001,
        ),
    ],
    boundaries=[8, 24],
)
