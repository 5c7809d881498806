python run.py --lr_scheduler_type linear --max_steps 100 --learning_rate "$LR"
