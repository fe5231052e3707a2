"""The embedded default: drawn scenes, what people would say of them, and three tiny captioners and a CLIP.

Nothing elsewhere in the package knows of it: conf/ names its files, and they are read and loaded by the same
code as COCO's pictures and the hub's checkpoints.
"""
