"""A news monitor for UK–Japan and US–Japan cooperation in semiconductors and technology."""

__version__ = "0.1.0"
