python train.py --model vgg11 --lr-scheduler steplr --lr-step-size 7 --lr-warmup-epochs 3 --lr-warmup-method constant --epochs 20 -b 32
