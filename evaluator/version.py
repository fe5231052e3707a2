"""The version of this program, which every signature names."""

__version__ = "0.1.0"
