# The learning rate of polynomial.olm.json with base rate 0.0003, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.polynomial_schedule(
    init_value=0.0003,
    end_value=0.0,
    transition_steps=30,
    power=2.0,
)
