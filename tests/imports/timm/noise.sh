python train.py --sched cosine --lr 0.1 --lr-noise 0.4 0.9 --epochs 10
