# The learning rate of triangles.olm.json with base rate 0.1, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.join_schedules(
    schedules=[
        optax.linear_schedule(init_value=0.01, end_value=0.1, transition_steps=6),
        optax.linear_schedule(init_value=0.1, end_value=0.01, transition_steps=6),
        optax.linear_schedule(init_value=0.01, end_value=0.1, transition_steps=6),
        optax.linear_schedule(init_value=0.085, end_value=0.01, transition_steps=5),
        optax.linear_schedule(init_value=0.025, end_value=0.1, transition_steps=5),
        optax.linear_schedule(init_value=0.085, end_value=0.01, transition_steps=5),
    ],
    boundaries=[6, 12, 19, 25, 31],
)
