"""What is to be known about captions before their scores: how they are written, and what is damaged."""
