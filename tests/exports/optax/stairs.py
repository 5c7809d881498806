# The learning rate of stairs.olm.json with base rate 0.1, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.join_schedules(
    schedules=[
        optax.constant_schedule(value=0.1),
        optax.linear_schedule(init_value=0.05, end_value=0.05, transition_steps=7),
        optax.linear_schedule(init_value=0.025, end_value=0.025, transition_steps=7),
        optax.linear_schedule(init_value=0.0125, end_value=0.0125, transition_steps=7),
        optax.linear_schedule(
            init_value=0.00625,
            end_value=0.00625,
            transition_steps=7,
        ),
    ],
    boundaries=[8, 16, 24, 32],
)
