"""From what is typed to checked components."""
