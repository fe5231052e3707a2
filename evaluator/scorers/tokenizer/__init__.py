"""The tokenizer of COCO's caption evaluation, without Java."""
