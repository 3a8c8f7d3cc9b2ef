"""Make the page of the papers' tables and figures from the results files.

    python -m benchmarks.papers [--docs DIR] [--ending svg]

What has no results yet is left out. ``report.py`` writes the texts as well, and checks
them; the pictures are drawn here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks._pages import Part, draw, spell
from benchmarks.dmtl import dmtl_parts
from benchmarks.field import field_parts
from benchmarks.opinions import opinions_parts
from benchmarks.paired_report import datn_parts
from benchmarks.partial_report import isra_parts
from benchmarks.sets import sets_parts
from benchmarks.sources import sources_parts
from benchmarks.ssan_report import ssan_parts
from benchmarks.symnets import symnets_parts
from benchmarks.unlabeled import unlabeled_parts
from benchmarks.unsupervised_report import summary_parts

__all__ = ["texts"]

DOCS = Path(__file__).parents[1] / "docs" / "benchmarks"
PAPERS: dict[str, Callable[[], list[Part]]] = {
    "field": field_parts,
    "ssan": ssan_parts,
    "symnets": symnets_parts,
    "isra": isra_parts,
    "datn": datn_parts,
    "dmtl": dmtl_parts,
    "unsupervised": summary_parts,
    "opinions": opinions_parts,
    "sets": sets_parts,
    "sources": sources_parts,
    "unlabeled": unlabeled_parts,
}


def texts() -> dict[str, str]:
    """Write the section of every paper, by the name of its file."""
    return {
        f"papers_{name}.inc": spell(parts) if (parts := make()) else ""
        for name, make in PAPERS.items()
    }


def main() -> None:
    """Write the texts and draw the pictures."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--docs", type=Path, default=DOCS, help="where to write")
    parser.add_argument("--ending", default="svg", help="of the pictures")
    given = parser.parse_args()
    given.docs.mkdir(parents=True, exist_ok=True)
    for name, make in PAPERS.items():
        parts = make()
        text = spell(parts) if parts else ""
        (given.docs / f"papers_{name}.inc").write_text(text, encoding="utf-8")
        draw(parts, given.docs, given.ending)


if __name__ == "__main__":
    main()
