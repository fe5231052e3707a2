"""The embedded default: drawn scenes with captions, three tiny captioners, a CLIP, and a matching BLIP.

No other module of the package knows the demo. conf/ names its files, and the code that reads COCO's pictures
and the hub's checkpoints reads them too.
"""
