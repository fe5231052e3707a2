"""Runs side by side: intervals, paired tests, ranks, gates and experiments."""
