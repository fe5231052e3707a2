"""The local web app: runs while they run, compared, and judged by people."""
