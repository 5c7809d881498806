python train.py --sched tanh --sched-on-updates --epochs 12 --warmup-epochs 0 --min-lr 1e-4 --lr 0.2
