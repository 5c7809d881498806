STEPS=100
python run.py --lr_scheduler_type linear --max_steps $STEPS \
  --learning_rate $(cat rate.txt)
