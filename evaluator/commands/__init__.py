"""Commands with modules of their own; `evaluator.cli` puts them beside its others."""
