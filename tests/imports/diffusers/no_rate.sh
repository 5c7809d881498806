accelerate launch train_dreambooth.py --lr_scheduler constant --lr_warmup_steps 0 --max_train_steps 400
