_base_ = 'base_loop.py'
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.04))
train_cfg = dict(max_epochs=9)
