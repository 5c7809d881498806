optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
lr_config = dict(policy='step', warmup='linear', step=[8, 11])
param_scheduler = None
