"""What all commands write, and where."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skda.cli._options import CompareOptions
from skda.utils.escaping import printable
from skda.utils.files import check_writable, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from skda.comparison._layout import Report

__all__ = ["check_outputs", "import_pyplot", "journal_of", "say", "write_all"]

FIGURES = (".png", ".pdf", ".svg")


def say(kind: str, message: str, command: str = "compare") -> None:
    """Write one line to the standard error stream."""
    line = printable(" ".join(message.split()))
    sys.stderr.write(f"skda {command}: {kind}: {line}\n")


def check_outputs(options: CompareOptions) -> None:
    """Insist on places that can be written to."""
    if options.json is not None and options.json == options.markdown:
        raise ValueError(
            f"Expected --json and --markdown to differ, got {options.json!r} for both."
        )
    for option in ("json", "markdown", "figure"):
        name = getattr(options, option)
        if name is None or (name == "-" and option != "figure"):
            continue
        path = Path(name)
        if path.is_dir() or not path.parent.is_dir():
            raise ValueError(
                f"Expected --{option} to be {'' if option == 'figure' else '- or '}a "
                f"file in a folder that exists, got {name!r}."
            )
        if option == "figure":
            _check_figure(name)
        try:
            check_writable(path)
        except OSError as error:
            raise ValueError(
                f"Expected --{option} to be a file that can be written, got {name!r} "
                f"({error.strerror}): name another folder."
            ) from error


def _check_figure(name: str) -> None:
    """Insist on a format that can be drawn."""
    if Path(name).suffix.lower() not in FIGURES:
        raise ValueError(
            f"Expected --figure to end in {', '.join(FIGURES)}, got {name!r}."
        )
    import_pyplot()


def journal_of(options: CompareOptions) -> Path | None:
    """Name the file that keeps finished fits until all outputs are written."""
    outputs = (options.json, options.markdown, options.figure)
    files = [name for name in outputs if name not in (None, "-")]
    return Path(f"{files[0]}.journal") if files else None


def import_pyplot() -> Any:
    """Import what draws, for files only: there may be no screen."""
    from skda.utils.optional import import_optional  # noqa: PLC0415 (it takes time)

    import_optional("matplotlib", "--figure draws with matplotlib").use("Agg")
    return import_optional("matplotlib.pyplot", "--figure draws with matplotlib")


def write_all(
    options: CompareOptions,
    report: Report,
    draw: Callable[[Path], dict[Path, Figure]],
) -> None:
    """Write all that was asked for; the text, unless something else is on stdout.

    Parameters
    ----------
    options : CompareOptions
        Where to write.
    report : Report
        The table.
    draw : callable
        Draws the figures, with the files that they go to.

    Raises
    ------
    OSError
        If some file could not be written, after everything else was.
    """
    record = json.dumps(report.record, indent=2, allow_nan=False)
    texts = {options.json: f"{record}\n", options.markdown: report.markdown}
    sys.stdout.write(texts.pop("-", report.text))
    sys.stdout.flush()
    contents = {
        Path(name): text.encode() for name, text in texts.items() if name is not None
    }
    if options.figure is not None:
        contents |= _drawn(draw, Path(options.figure))
    failures = []
    for file, content in contents.items():
        try:
            write_whole(file, content)
        except OSError as error:
            failures.append(f"{file} could not be written ({error.strerror})")
    if failures:
        raise OSError(f"{'; '.join(failures)}: the table is on the standard output.")


def _drawn(draw: Callable[[Path], dict[Path, Figure]], path: Path) -> dict[Path, bytes]:
    """Draw, and give the content of the files."""
    pyplot = import_pyplot()
    contents = {}
    with pyplot.rc_context({"svg.fonttype": "none"}):
        for file, figure in draw(path).items():
            buffer = io.BytesIO()
            figure.savefig(buffer, dpi=200, format=file.suffix[1:].lower())
            pyplot.close(figure)
            contents[file] = buffer.getvalue()
    return contents
