"""Votes between two captions of an image, and the ratings that follow from them."""
