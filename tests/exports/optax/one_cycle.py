# The learning rate of one_cycle.olm.json with base rate 0.1, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.join_schedules(
    schedules=[
        optax.cosine_decay_schedule(init_value=0.004, decay_steps=8, alpha=25.0),
        optax.cosine_decay_schedule(init_value=0.1, decay_steps=21, alpha=4e-06),
    ],
    boundaries=[8],
)
