"""What all commands write, and where."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["import_pyplot", "write_all"]


def import_pyplot() -> Any:
    """Import what draws, for files only: there may be no screen."""
    from skda.utils.optional import import_optional  # noqa: PLC0415 (it takes time)

    import_optional("matplotlib", "--figure draws with matplotlib").use("Agg")
    return import_optional("matplotlib.pyplot", "--figure draws with matplotlib")


def write_all(
    args: argparse.Namespace,
    *,
    record: dict[str, Any],
    markdown: str,
    text: str,
    draw: Callable[[], None],
) -> None:
    """Write all that was asked for; the text, unless something else is on stdout."""
    said = json.dumps(record, indent=2, allow_nan=False)
    texts = {args.json: f"{said}\n", args.markdown: markdown}
    for name, content in texts.items():
        if name not in (None, "-"):
            Path(name).write_text(content, encoding="utf-8")
    if args.figure is not None:
        draw()
    sys.stdout.write(texts.get("-", text))
