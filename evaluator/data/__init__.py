"""Data sets: one reader a file, each a frozen dataclass of options whose load() gives items."""
