"""What all commands write, and where."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skda.cli._options import CompareOptions

if TYPE_CHECKING:
    from skda.comparison._layout import Report

__all__ = ["check_outputs", "import_pyplot", "write_all"]

FIGURES = (".png", ".pdf", ".svg")


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
    if options.figure is not None:
        if Path(options.figure).suffix.lower() not in FIGURES:
            raise ValueError(
                f"Expected --figure to end in {', '.join(FIGURES)}, got "
                f"{options.figure!r}."
            )
        import_pyplot()


def import_pyplot() -> Any:
    """Import what draws, for files only: there may be no screen."""
    from skda.utils.optional import import_optional  # noqa: PLC0415 (it takes time)

    import_optional("matplotlib", "--figure draws with matplotlib").use("Agg")
    return import_optional("matplotlib.pyplot", "--figure draws with matplotlib")


def write_all(
    options: CompareOptions, report: Report, draw: Callable[[Path], None]
) -> None:
    """Write all that was asked for; the text, unless something else is on stdout."""
    record = json.dumps(report.record, indent=2, allow_nan=False)
    texts = {options.json: f"{record}\n", options.markdown: report.markdown}
    for name, content in texts.items():
        if name not in (None, "-"):
            Path(name).write_text(content, encoding="utf-8")
    if options.figure is not None:
        draw(Path(options.figure))
    sys.stdout.write(texts.get("-", report.text))
