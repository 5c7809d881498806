TOTAL=20000
fairseq-train data-bin --arch roberta_base --optimizer adam --adam-betas '(0.9,0.98)' \
  --lr-scheduler polynomial_decay --lr 0.0005 --warmup-updates 1000 --power 2.0 \
  --total-num-update $TOTAL --max-update $TOTAL --batch-size 16 --update-freq 4 --weight-decay 0.01
