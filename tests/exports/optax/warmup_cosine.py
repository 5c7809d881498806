# The learning rate of warmup_cosine.olm.json with base rate 0.0003, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.join_schedules(
    schedules=[
        optax.linear_schedule(
            init_value=5.9999999999999995e-05,
            end_value=0.0003,
            transition_steps=4,
        ),
        optax.cosine_decay_schedule(
            init_value=0.0003,
            decay_steps=25,
            alpha=0.03333333333333334,
        ),
    ],
    boundaries=[5],
)
