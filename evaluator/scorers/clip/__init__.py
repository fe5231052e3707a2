"""Pictures and texts as feature vectors of a CLIP or SigLIP."""
