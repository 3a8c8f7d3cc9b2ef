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
    import pandas as pd
    from matplotlib.figure import Figure

    from skda.comparison._layout import Report

__all__ = ["check_outputs", "import_pyplot", "journal_of", "say", "write_all"]

#: Formats of what is drawn, by the option.
ENDINGS = {"figure": (".png", ".pdf", ".svg"), "report": (".html", ".htm")}


def say(kind: str, message: str, command: str = "compare") -> None:
    """Write one line to the standard error stream."""
    line = printable(" ".join(message.split()))
    sys.stderr.write(f"skda {command}: {kind}: {line}\n")


def check_outputs(options: CompareOptions) -> None:
    """Insist on places that can be written to."""
    seen: dict[str, str] = {}
    for option in ("json", "markdown", "figure", "report"):
        name = getattr(options, option)
        if name is None:
            continue
        if name in seen:
            raise ValueError(
                f"Expected --{seen[name]} and --{option} to differ, got {name!r} for "
                f"both."
            )
        seen[name] = option
        if name == "-" and option in ("json", "markdown"):
            continue
        path = Path(name)
        if path.is_dir() or not path.parent.is_dir():
            either = "- or " if option in ("json", "markdown") else ""
            raise ValueError(
                f"Expected --{option} to be {either}a file in a folder that exists, "
                f"got {name!r}."
            )
        if option in ENDINGS:
            _check_ending(option, name)
        try:
            check_writable(path)
        except OSError as error:
            raise ValueError(
                f"Expected --{option} to be a file that can be written, got {name!r} "
                f"({error.strerror}): name another folder."
            ) from error


def _check_ending(option: str, name: str) -> None:
    """Insist on a format that can be drawn."""
    if Path(name).suffix.lower() not in ENDINGS[option]:
        raise ValueError(
            f"Expected --{option} to end in {', '.join(ENDINGS[option])}, got {name!r}."
        )
    import_pyplot(option)


def journal_of(options: CompareOptions) -> Path | None:
    """Name the file that keeps finished fits until all outputs are written."""
    outputs = (options.json, options.markdown, options.figure, options.report)
    files = [name for name in outputs if name not in (None, "-")]
    return Path(f"{files[0]}.journal") if files else None


def import_pyplot(option: str = "figure") -> Any:
    """Import what draws, for files only: there may be no screen."""
    from skda.utils.optional import import_optional  # noqa: PLC0415 (it takes time)

    need = f"--{option} draws with matplotlib"
    import_optional("matplotlib", need).use("Agg")
    return import_optional("matplotlib.pyplot", need)


def write_all(
    options: CompareOptions,
    table: pd.DataFrame,
    report: Report,
    draw: Callable[[Path], dict[Path, Figure]],
) -> None:
    """Write all that was asked for; the text, unless something else is on stdout.

    Parameters
    ----------
    options : CompareOptions
        Where to write.
    table : pandas.DataFrame
        The comparison.
    report : Report
        Its report.
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
    if options.report is not None:
        from skda.inspection._write_report import page_of  # noqa: PLC0415 (it is slow)

        page = page_of(table, report, options.command_line)
        contents[Path(options.report)] = page.encode()
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
