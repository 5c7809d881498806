# The learning rate of in_steps_of_the_clock.olm.json with base rate 0.1, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.join_schedules(
    schedules=[
        optax.constant_schedule(value=0.1),
        optax.linear_schedule(init_value=0.07, end_value=0.07, transition_steps=9),
        optax.linear_schedule(
            init_value=0.04000000000000001,
            end_value=0.04000000000000001,
            transition_steps=9,
        ),
        optax.constant_schedule(value=0.01),
    ],
    boundaries=[10, 20, 30],
)
