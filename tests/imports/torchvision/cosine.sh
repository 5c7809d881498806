torchrun --nproc_per_node=8 train.py --model resnet50 --batch-size 128 --lr 0.5 --lr-scheduler cosineannealinglr --lr-warmup-epochs 5 \
  --lr-warmup-method linear --lr-warmup-decay 0.01 --lr-min 0.001 --epochs 20 --weight-decay 0.00002 --random-erase 0.1
