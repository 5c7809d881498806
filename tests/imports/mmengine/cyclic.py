lr = 1e-3
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='AdamW', lr=lr, betas=(0.95, 0.99)))
param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=4, eta_min=lr * 10, begin=0, end=4, by_epoch=True,
         convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', T_max=6, eta_min=lr * 1e-4, begin=4, end=10, by_epoch=True,
         convert_to_iter_based=True),
    dict(type='CosineAnnealingMomentum', T_max=4, eta_min=0.85 / 0.95, begin=0, end=4,
         by_epoch=True, convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=10)
