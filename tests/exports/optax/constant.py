# The learning rate of constant.olm.json with base rate 0.1, by `olm export`.
# optax computes in float32: the rates are within 1e-6 of the highest one.
import optax

schedule = optax.constant_schedule(value=0.1)
