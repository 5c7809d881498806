# The learning rate of exponential_above_a_floor.olm.json with base rate 0.1, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.join_schedules(
    schedules=[
        optax.exponential_decay(
            init_value=0.1,
            transition_steps=16,
            decay_rate=0.18530201888518416,
        ),
        optax.constant_schedule(value=0.020000000000000004),
    ],
    boundaries=[16],
)
