# The learning rate of stable_then_linear.olm.json with base rate 0.1, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.join_schedules(
    schedules=[
        optax.linear_schedule(init_value=0.0, end_value=0.1, transition_steps=5),
        optax.constant_schedule(value=0.1),
        optax.linear_schedule(init_value=0.1, end_value=0.0, transition_steps=15),
    ],
    boundaries=[5, 25],
)
