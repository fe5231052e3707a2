"""One metric a file: pure functions first, then a frozen dataclass that holds the options."""
