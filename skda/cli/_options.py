"""Options of the commands, as they were given."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from pathlib import Path

__all__ = ["QUICK_EPOCHS", "CompareOptions"]

QUICK_EPOCHS = 20


@dataclass(frozen=True)
class CompareOptions:
    """Options of ``skda compare``, named like them; None where one is not given."""

    task: str | None
    data_home: str | None
    target: str | None
    source: str | None
    label: str | None
    source_label: str | None
    pairs: list[str] | None
    drop: list[str] | None
    impute: bool
    view: list[str] | None
    labels: str | None
    methods: str | None
    splits: int | None
    labels_per_class: int | None
    target_classes: int | None
    seed: int
    jobs: int
    threads: int
    quick: bool
    json: str | None
    markdown: str | None
    figure: str | None
    report: str | None
    command_line: str

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> CompareOptions:
        """Take the options out of parsed arguments."""
        return cls(
            **{field.name: getattr(arguments, field.name) for field in fields(cls)}
        )

    @property
    def n_splits(self) -> int:
        """How many splits to draw."""
        if self.splits is not None:
            return self.splits
        return 1 if self.quick else 3

    @property
    def quick_epochs(self) -> int | None:
        """Epochs of a run that is no result; None if it is one."""
        return QUICK_EPOCHS if self.quick else None

    @property
    def method_names(self) -> list[str] | None:
        """Names of the methods; None for the default line-up."""
        if self.methods is None:
            return None
        return [name.strip() for name in self.methods.split(",")]

    @property
    def view_files(self) -> dict[str, str]:
        """Files of the paired views, by name."""
        files: dict[str, str] = {}
        for view in self.view or []:
            name, _, file = view.partition("=")
            if not name or not file or name in files:
                raise ValueError(
                    f"Expected --view NAME=FILE with a name of its own, such as "
                    f"image=images.csv, got {view!r}."
                )
            files[name] = file
        return files

    @property
    def files(self) -> dict[str, str]:
        """All files of the user's own, by role."""
        if self.view:
            return self.view_files | {"labels": str(self.labels)}
        if self.target is None:
            return {}
        files = {"source": self.source, "target": self.target}
        if self.pairs is not None:
            files |= dict(
                zip(("source_pairs", "target_pairs"), self.pairs, strict=True)
            )
        return {role: file for role, file in files.items() if file is not None}

    @property
    def title(self) -> str:
        """Name of the data."""
        if self.view:
            own = list(self.view_files.values())
        else:
            own = [file for file in (self.source, self.target) if file]
        if not own:
            return self.task or "digits"
        return (", " if self.view else " -> ").join(Path(file).name for file in own)
