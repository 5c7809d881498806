import optax

PEAK = 4e-4
WARMUP, STEPS = 100, 1_000


def optimizer(model):
    rise = optax.linear_schedule(0.0, PEAK, WARMUP)
    fall = optax.exponential_decay(PEAK, transition_steps=300, decay_rate=0.5, staircase=True)
    schedule = optax.join_schedules([rise, fall], boundaries=[WARMUP])
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, b1=0.9))
