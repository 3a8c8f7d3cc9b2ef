"""Tables as they come: columns to leave out, words among the numbers, and gaps."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import Bunch

from skda.datasets._readers import read_frame
from skda.datasets._tables import (
    FRAMES,
    arrange,
    as_bunch,
    check_names,
    is_number,
    list_some,
    load_table,
    located,
    pop_labels,
)
from skda.utils.optional import import_optional

__all__ = ["load_domains"]

#: Columns, and what fills their gaps.
Imputers = list[tuple[list[str], SimpleImputer]]

#: Most columns that a column of words becomes; rarer categories share the last one.
MOST_CATEGORIES = 50
#: More different words than this are no categories, if every second row has its own.
MANY_WORDS = 20


class Domain(NamedTuple):
    """A table that was read.

    Parameters
    ----------
    file : Path
        Where it is from.
    label : str or None
        Column of the labels.
    target : ndarray or None
        The labels.
    features : DataFrame
        The other columns, without those that are left out.
    dropped : list of str
        What was left out.
    """

    file: Path
    label: str | None
    target: Any
    features: Any
    dropped: list[str]


def load_domains(
    paths: Sequence[str | PathLike[str]],
    labels: Sequence[str | None],
    *,
    drop: Sequence[str] = (),
    impute: bool = False,
) -> tuple[list[Bunch], list[str]]:
    """Load the domains of a comparison from tables as they come.

    Columns of words are encoded, one column of zeros and ones for each category; if the
    domains have columns of the same names, by the categories of both, and in the same
    order. Other files are read as :func:`load_table` does.

    Parameters
    ----------
    paths : sequence of str or path-like
        Files of the domains.
    labels : sequence of str or None
        Columns with their labels.
    drop : sequence of str, default=()
        Columns to leave out, where they are.
    impute : bool, default=False
        Whether to fill gaps: in numbers by the median, in words by the most frequent
        one, of the domain.

    Returns
    -------
    domains : list of Bunch
        What :func:`load_table` returns of each, and "clean", which does the same to
        other tables with the same columns.
    notes : list of str
        What was done, a line for each file in which anything was.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a table cannot be made one of numbers, or a column to leave out is nowhere.
    """
    files = [located(path) for path in paths]
    tables = {
        i: _read(file, label, drop)
        for i, (file, label) in enumerate(zip(files, labels, strict=True))
        if file.suffix.lower() in FRAMES
    }
    _check_drop(list(tables.values()), drop)
    if impute and not tables:
        raise ValueError(
            f"Expected --impute with a table ({', '.join(FRAMES)}), got "
            f"{', '.join(map(str, files))}: fill the gaps of the arrays."
        )
    cleaned = dict(
        zip(tables, _clean_all(list(tables.values()), impute=impute), strict=True)
    )
    domains = [
        cleaned[i][0] if i in cleaned else load_table(file, labels[i])
        for i, file in enumerate(files)
    ]
    return domains, [note for _, note in cleaned.values() if note]


def _read(file: Path, label: str | None, drop: Sequence[str]) -> Domain:
    frame = read_frame(file)
    target = pop_labels(frame, label, file)
    dropped = [name for name in drop if name in frame.columns]
    frame = frame.drop(columns=dropped)
    check_names(frame, file)
    return Domain(file, label, target, frame, dropped)


def _check_drop(domains: list[Domain], drop: Sequence[str]) -> None:
    """Insist on columns that are there to be left out."""
    found = {name for domain in domains for name in domain.dropped}
    unknown = [name for name in drop if name not in found]
    if unknown:
        columns = [name for domain in domains for name in domain.features.columns]
        raise ValueError(
            f"Expected --drop with the name of a feature, got {unknown[0]!r}; there "
            f"are {list_some(dict.fromkeys(columns))}: check the name."
        )


def _clean_all(domains: list[Domain], *, impute: bool) -> list[tuple[Bunch, str]]:
    """Make numbers of all domains, alike if they have the same columns."""
    columns = [list(domain.features.columns) for domain in domains]
    if len(domains) == 2 and sorted(columns[0]) == sorted(columns[1]):
        # The columns of the target, which is the first, are the measure.
        domains[1] = domains[1]._replace(features=domains[1].features[columns[0]])
        groups = [domains]
    else:
        groups = [[domain] for domain in domains]
    return [found for group in groups for found in _clean_group(group, impute=impute)]


def _clean_group(domains: list[Domain], *, impute: bool) -> list[tuple[Bunch, str]]:
    """Make numbers of domains that have the same columns."""
    pandas = import_optional("pandas", "load_table reads tables with pandas")
    words = [
        name
        for name in domains[0].features.columns
        if not all(is_number(domain.features[name].dtype) for domain in domains)
    ]
    imputers = [_fit_imputers(domain, words) if impute else [] for domain in domains]
    filled = [
        _fill(domain.features, parts, words, domain.file)
        for domain, parts in zip(domains, imputers, strict=True)
    ]
    encode = OneHotEncoder(
        max_categories=MOST_CATEGORIES,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    encoder = ColumnTransformer(
        [("words", encode, words)],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    encoder.fit(pandas.concat(filled, ignore_index=True))
    return [
        _finish(domain, parts, words, encoder)
        for domain, parts in zip(domains, imputers, strict=True)
    ]


def _finish(
    domain: Domain,
    imputers: Imputers,
    words: list[str],
    encoder: ColumnTransformer,
) -> tuple[Bunch, str]:
    """Make numbers of a domain, and say what was done."""
    pandas = import_optional("pandas", "load_table reads tables with pandas")
    names = encoder.get_feature_names_out().tolist()

    def clean(frame: Any, file: Path) -> Any:
        """Do the same to another table with the columns of the domain."""
        frame = frame.drop(columns=domain.dropped, errors="ignore")
        frame = arrange(frame, list(domain.features.columns), domain.file, file)
        filled = _fill(frame, imputers, words, file)
        return pandas.DataFrame(encoder.transform(filled), columns=names)

    data = clean(domain.features, domain.file).to_numpy(np.float64)
    bunch = as_bunch(data, domain.target, names, domain.file, domain.label)
    bunch.clean = clean
    return bunch, _note(domain, words, encoder, has_imputed=bool(imputers))


def _fit_imputers(domain: Domain, words: list[str]) -> Imputers:
    """Find what to fill the gaps of a domain with."""
    frame = _plain(domain.features, words)
    empty = [name for name in frame.columns if frame[name].isna().all()]
    if empty:
        raise ValueError(
            f"Expected a value in every column of {domain.file}, got none in "
            f"{list_some(empty)}: leave it out (--drop)."
        )
    numbers = [name for name in frame.columns if name not in words]
    return [
        (names, SimpleImputer(strategy=strategy).fit(frame[names]))
        for names, strategy in ((numbers, "median"), (words, "most_frequent"))
        if names
    ]


def _fill(frame: Any, imputers: Imputers, words: list[str], file: Path) -> Any:
    """Fill the gaps, or insist that there are none; words become text."""
    plain = _plain(frame, words)
    for names, imputer in imputers:
        plain[names] = imputer.transform(plain[names])
    gaps = [name for name in plain.columns if plain[name].isna().any()]
    if gaps:
        raise ValueError(
            f"Expected a value in every row of every feature in {file}, got gaps in "
            f"{list_some(gaps)}: fill them (--impute), or leave out these columns "
            f"(--drop)."
        )
    for name in words:
        _check_categories(plain[name], file)
    return plain


def _plain(frame: Any, words: list[str]) -> Any:
    """Make words text, and all else floating point numbers, with NaN for gaps."""
    pandas = import_optional("pandas", "load_table reads tables with pandas")
    columns = {}
    for name, column in frame.items():
        if name in words:
            text = [np.nan if pandas.isna(v) else str(v) for v in column]
            columns[name] = pandas.Series(text, dtype=object)
        else:
            values = column.to_numpy(np.float64, na_value=np.nan)
            columns[name] = pandas.Series(values)
    return pandas.DataFrame(columns, index=range(len(frame)))


def _check_categories(column: Any, file: Path) -> None:
    """Insist on words that come again."""
    n_different = column.nunique()
    if n_different > MANY_WORDS and n_different > len(column) / 2:
        raise ValueError(
            f"Expected numbers or categories in {file}, got {n_different} different "
            f"words in {column.name!r}, such as {column.iloc[0]!r}: leave it out "
            f"(--drop {column.name})."
        )


def _note(
    domain: Domain, words: list[str], encoder: ColumnTransformer, *, has_imputed: bool
) -> str:
    """Say what was done to a domain; nothing if nothing was."""
    done = []
    if domain.dropped:
        done.append(f"left out {list_some(domain.dropped)}")
    if words:
        categories = encoder.named_transformers_["words"].categories_
        counts = [
            f"{name!r} ({len(found)} categories)"
            for name, found in zip(words, categories, strict=True)
        ]
        done.append(f"encoded {', '.join(counts)} as zeros and ones")
    if has_imputed:
        n_gaps = domain.features.isna().sum()
        gaps = [f"{name!r} ({n})" for name, n in n_gaps.items() if n]
        done.append(
            f"filled the gaps in {', '.join(gaps)}, of numbers by the median, of words "
            f"by the most frequent one"
            if gaps
            else "found no gap to fill"
        )
    return f"{domain.file.name}: {'; '.join(done)}." if done else ""
