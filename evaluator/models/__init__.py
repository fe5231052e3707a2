"""Captioners: one backend a file, each a frozen dataclass of options that opens into a session."""
