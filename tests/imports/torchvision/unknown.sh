python train.py --lr-scheduler polynomiallr --lr-warmup-method linear --epochs 20
