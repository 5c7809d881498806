import optax

lr = 1e-3
if args.large:
    lr = 3e-4
tx = optax.adam(optax.cosine_decay_schedule(lr, 1000))
