python train.py --sched step --sched-on-updates --lr 0.1 \
    --epochs 9 --decay-epochs 2.45
