"""Run folders: the only folder of the package that knows their files."""
