"""Captions that other programs wrote."""
