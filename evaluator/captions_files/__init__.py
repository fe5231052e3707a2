"""Readers of captions that other programs wrote."""
