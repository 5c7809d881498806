"""optax: the parameters of its schedules."""

from framework_keys import Package, Place

_NEEDED = {
    "constant_schedule": "value=0.1",
    "linear_schedule": "init_value=0.1, end_value=0.0, transition_steps=100",
    "polynomial_schedule": "init_value=0.1, end_value=0.0, power=2, transition_steps=100",
    "piecewise_constant_schedule": "init_value=0.1",
    "piecewise_interpolate_schedule": "interpolate_type='linear', init_value=0.1",
    "exponential_decay": "init_value=0.1, transition_steps=10, decay_rate=0.9",
    "cosine_decay_schedule": "init_value=0.1, decay_steps=100",
    "linear_onecycle_schedule": "transition_steps=100, peak_value=0.1",
    "cosine_onecycle_schedule": "transition_steps=100, peak_value=0.1",
    "warmup_constant_schedule": "init_value=0.0, peak_value=0.1, warmup_steps=10",
    "warmup_cosine_decay_schedule": (
        "init_value=0.0, peak_value=0.1, warmup_steps=10, decay_steps=100"
    ),
    "warmup_exponential_decay_schedule": (
        "init_value=0.0, peak_value=0.1, warmup_steps=10, transition_steps=10, decay_rate=0.9"
    ),
}

PLACES = [
    Place(
        Package("optax", "0.2.8"),
        f"signature optax/schedules/_schedule.py {name}",
        "train.py",
        f"import optax\nschedule = optax.{name}(<KEYS>{needed})\n",
    )
    for name, needed in _NEEDED.items()
]
