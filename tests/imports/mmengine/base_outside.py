_base_ = ['../timm/schedule.py']
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.04))
train_cfg = dict(max_epochs=9)
param_scheduler = [dict(type='StepLR', step_size=3)]
