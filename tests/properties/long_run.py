"""Check thousands of cases, and sort the failures by kind.

Each estimator has a process of its own, which is ended, and counts as a failure, if a
case takes more than half a minute or crashes it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from zlib import crc32

import torch
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.properties.cases import Case, cases
from tests.properties.estimators import CLASSIFIERS, RETRIEVERS, same_features
from tests.properties.invariants import CHIMERA, ViolationError, check_case, describe
from tests.properties.views import view_cases

PATIENCE = 30.0  # seconds for one case


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--estimators", nargs="*", default=CLASSIFIERS + RETRIEVERS)
    parser.add_argument("--out", type=Path, default=Path("properties.json"))
    parser.add_argument("--log", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.log is not None:  # a child
        (name,) = args.estimators
        _check(name, args.cases, args.seed, args.log)
        return 0
    os.nice(10)
    start = time.perf_counter()
    failures, endings = {}, {}
    for name in args.estimators:
        n_cases = -(-args.cases // len(args.estimators))
        endings[name] = _sorted(name, n_cases, args.seed, failures)
        n_failures = sum(f["count"] for f in failures.values())
        elapsed = time.perf_counter() - start
        print(f"{elapsed:6.0f} s  {name}: {n_failures} failures so far", flush=True)  # noqa: T201
        _write(args.out, failures, endings, elapsed)
    return 1 if failures else 0


def _sorted(name, n_cases, number, failures):
    """Check one estimator, sort its failures, and count how its fits ended."""
    endings = Counter()
    while (missing := n_cases - sum(endings.values())) > 0:
        for line in _lines(name, missing, number):
            record = json.loads(line)
            endings[_general(record["detail"])] += 1
            if record["kind"]:
                _file(failures, name, record)
        number += 1
    return dict(endings.most_common())


def _lines(name, n_cases, number):
    """Run a child, and end it when it makes no progress; yield what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        log.touch()
        command = [sys.executable, "-m", "tests.properties.long_run", "--log", log]
        command += ["--estimators", name, f"--cases={n_cases}", f"--seed={number}"]
        child = subprocess.Popen(command)
        size, since = 0, time.monotonic()
        while (code := child.poll()) is None:
            time.sleep(0.2)
            if log.stat().st_size > size:
                size, since = log.stat().st_size, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                child.kill()
        *lines, last = log.read_text().splitlines() or [""]
        started = [line for line in lines if '"started"' in line]
        yield from (line for line in lines if line not in started)
        if '"started"' in last:
            ending = json.loads(last)["started"]
            ending["kind"] = "takes too long" if code == -9 else f"crashes: {code}"
            yield json.dumps(ending)
        elif last:
            yield last


def _check(name, n_cases, number, log):
    """Check one estimator, in a child, and write down what comes out."""
    torch.set_num_threads(1)
    drawn = (
        cases(same_features=same_features(name))
        if name in CLASSIFIERS
        else view_cases()
    )

    @seed(number + crc32(name.encode()))
    @settings(
        max_examples=n_cases,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=drawn)
    def check(case):
        record = {"kind": "", "detail": "", "case": repr(case), "size": _size(case)}
        _append(log, {"started": record})
        try:
            record["detail"] = check_case(name, case)
        except ViolationError as violation:
            record |= {"kind": violation.kind, "detail": str(violation)}
        except Exception as error:  # noqa: BLE001 (sorted below)
            record |= {"kind": "unforeseen", "detail": describe(error, where=True)}
        _append(log, record)

    check()


def _append(path, record):
    with path.open("a") as file:
        file.write(json.dumps(record) + "\n")


def _file(failures, name, record):
    """Keep the smallest case of every kind of failure."""
    shown = "" if record["kind"] == CHIMERA else _general(record["detail"])
    key = f"{name} | {record['kind']} | {shown}"
    known = failures.setdefault(key, {"count": 0, "size": float("inf")})
    known["count"] += 1
    if record["size"] < known["size"]:
        known.update({part: record[part] for part in ("size", "detail", "case")})


def _size(case):
    """Rank cases by how much about them is out of the ordinary."""
    domains = (
        [case.target, case.source]
        if isinstance(case, Case)
        else [*case.target, *(case.source or [])]
    )
    odd = 0.0 + (getattr(case, "mishap", "none") != "none")
    for domain in filter(None, domains):
        odd += (domain.dtype != "float64") + (domain.container != "array")
        odd += (domain.structure != "plain") + (domain.defect != "none")
        odd += min(abs(domain.exponent), 10) / 5
        odd += domain.n_rows / 100 + domain.n_features / 100
    for labels in (case.y, case.y_source):
        odd += (labels.kind != "integers") + (labels.form != "array")
        odd += (labels.known == "absent") + (labels.mark != "-1") + labels.imbalanced
    return odd


def _general(text):
    """Leave out of a message what differs from case to case."""
    return re.sub(r"-?\d+(\.\d+)?(e[+-]?\d+)?", "#", text or "")[:200]


def _write(path, failures, endings, elapsed):
    """Write the summary, the most frequent failures first."""
    ranked = sorted(failures.items(), key=lambda item: -item[1]["count"])
    summary = {
        "seconds": round(elapsed),
        "cases": sum(sum(counts.values()) for counts in endings.values()),
        "failures": dict(ranked),
        "endings": endings,
    }
    path.write_text(json.dumps(summary, indent=1))


if __name__ == "__main__":
    sys.exit(main())
