"""Runners: take items through a captioner and hand over each caption as soon as it is there."""
