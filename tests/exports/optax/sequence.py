# The learning rate of sequence.olm.json with base rate 0.1, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.join_schedules(
    schedules=[
        optax.linear_schedule(init_value=0.025, end_value=0.1, transition_steps=3),
        optax.constant_schedule(value=0.1),
        optax.exponential_decay(
            init_value=0.1,
            transition_steps=20,
            decay_rate=0.3584859224085419,
        ),
        optax.constant_schedule(value=0.005000000000000001),
    ],
    boundaries=[4, 10, 30],
)
