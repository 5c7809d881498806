import os

train_cfg = dict(by_epoch=False, max_iters=100)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=float(os.environ['LR'])))
param_scheduler = [dict(type='ConstantLR', by_epoch=False)]
