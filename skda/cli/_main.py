"""The entry point: parses, checks, runs, and says what the user got wrong."""

from __future__ import annotations

import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, NoReturn

from skda.cli._checks import check_options, compares_retrieval
from skda.cli._options import CompareOptions
from skda.cli._output import journal_of, say
from skda.cli._parser import build_parser
from skda.utils.papers import bibtex, papers_of

# What takes seconds to import (torch, scikit-learn) is imported where it is used, so
# that help and misspelled options are answered at once.

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    int
        Exit code. What the user got wrong exits with 2 and one line.
    """
    arguments = build_parser().parse_args(argv)
    given = sys.argv[1:] if argv is None else argv
    arguments.command_line = shlex.join(["skda", *given])
    try:
        with _short_warnings(arguments.command):
            if arguments.command == "cite":
                _cite(arguments.methods)
            else:
                _compare(CompareOptions.from_arguments(arguments))
    except (ModuleNotFoundError, OSError, ValueError, BrokenProcessPool) as error:
        _exit_for(error, arguments.command)
    except KeyboardInterrupt:
        return 130  # as a shell has it
    return 0


def _cite(methods: Sequence[str]) -> None:
    """Print the papers of all methods, each once."""
    keys = {key: None for method in methods for key in papers_of(method)}
    sys.stdout.write("\n\n".join(map(bibtex, keys)) + "\n")


def _compare(options: CompareOptions) -> None:
    """Fit, write the tables and draw the figure."""
    check_options(options)
    import torch  # noqa: PLC0415 (as it takes seconds)
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    # Threads that wait for each other on a busy machine cost ten times the work.
    torch.set_num_threads(options.threads)
    with threadpool_limits(options.threads):
        _run(options)


def _run(options: CompareOptions) -> None:
    """Compare, and keep the journal until all outputs are written."""
    journal = journal_of(options)
    if journal is not None and journal.is_file():
        say("note", f"fits that are finished in {journal} are not done again")
    try:
        _compare_data(options)
    except BaseException:
        if journal is not None and journal.is_file() and not journal.stat().st_size:
            journal.unlink()
        raise
    if journal is not None:
        journal.unlink(missing_ok=True)


def _compare_data(options: CompareOptions) -> None:
    """Choose the comparison that suits the data."""
    if compares_retrieval(options):
        from skda.cli._retrieval import run_retrieval  # noqa: PLC0415

        run_retrieval(options)
    else:
        from skda.cli._adaptation import run_adaptation  # noqa: PLC0415

        run_adaptation(options)


@contextmanager
def _short_warnings(command: str) -> Iterator[None]:
    """Show warnings as one line each, without the line of code."""

    def show(message: Warning | str, *_args: Any, **_kwargs: Any) -> None:
        say("warning", str(message), command)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _exit_for(error: Exception, command: str) -> NoReturn:
    """Leave with one line and no traceback."""
    message = " ".join([str(error), *getattr(error, "__notes__", ())])
    say("error", message, command)
    raise SystemExit(2)
