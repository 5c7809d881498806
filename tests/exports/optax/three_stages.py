# The learning rate of three_stages.olm.json with base rate 0.1, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.join_schedules(
    schedules=[
        optax.linear_schedule(init_value=0.001, end_value=0.1, transition_steps=5),
        optax.constant_schedule(value=0.1),
        optax.exponential_decay(init_value=0.1, transition_steps=20, decay_rate=0.01),
        optax.constant_schedule(value=0.001),
    ],
    boundaries=[5, 15, 35],
)
