"""Data sets: one reader per file. Each is a frozen dataclass of options, and its load() returns the items."""
