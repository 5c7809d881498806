import optax

generator = optax.adam(optax.cosine_decay_schedule(1e-3, 1000))
critic = optax.adam(optax.cosine_decay_schedule(4e-3, 1000))
