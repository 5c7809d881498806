train_cfg = dict(by_epoch=False, max_iters=100)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
param_scheduler = [
    dict(type='MultiStepLR', by_epoch=True, milestones=[3])]
