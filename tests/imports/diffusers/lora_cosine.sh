export MODEL_NAME="example/diffusion"

accelerate launch --num_processes 4 --mixed_precision="fp16" train_text_to_image_lora.py \
  --pretrained_model_name_or_path=$MODEL_NAME \
  --dataset_name=example/images --caption_column="text" \
  --resolution=512 --random_flip \
  --train_batch_size=2 --gradient_accumulation_steps=4 --checkpointing_steps=500 \
  --learning_rate=1e-04 --scale_lr --lr_scheduler="cosine" --lr_warmup_steps=100 \
  --max_train_steps=1500 --seed=42
