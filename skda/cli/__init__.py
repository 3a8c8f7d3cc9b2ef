"""The command line: arguments become options of functions of skda."""

from skda.cli._main import main

__all__ = ["main"]
