"""The local web app: runs while they are made, compared, and judged by people."""
