accelerate launch train_dreambooth_lora.py --learning_rate 5e-6 \
  --lr_scheduler cosine_with_restarts --lr_num_cycles 3 --lr_warmup_steps 0 --max_train_steps 400
