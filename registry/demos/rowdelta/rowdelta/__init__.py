"""What changed between two CSV files, row by row."""

__version__ = "1.0.0"
