"""Run `skda compare` in processes that something ends; print what is left of them.

One import serves all runs, which are forks of this process. Arguments: the folder of
``a.csv`` and ``b.csv``, and the case.
"""

import json
import os
import random
import resource
import signal
import sys
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from skda import cli

DATA = ["--source", "a.csv", "--target", "b.csv", "--label", "kind"]
OPTIONS = [*DATA, "--methods", "STN,SVMt,GeoST", "--quick"]
OPTIONS += ["--splits", "4"]


def start(*options, limit=None):
    """Start a run; gives its process, and the end of a pipe with its output."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    os.close(reading)
    os.dup2(writing, 1)
    os.dup2(writing, 2)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    code = 99
    try:
        code = cli.main(["compare", *OPTIONS, *options])
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(process, reading):
    """Wait for the end of a run; gives its exit code and its output."""
    with os.fdopen(reading) as stream:
        output = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), output


def lines_of(name):
    """Give the whole lines of a journal."""
    path = Path(name)
    return path.read_text().split("\n")[:-1] if path.exists() else []


def wait_for_lines(name, n_lines):
    """Wait until so many fits are finished, or the run is."""
    while len(lines_of(f"{name}.journal")) < n_lines and not Path(name).exists():
        time.sleep(0.002)


def killed():
    """Kill a run at random moments, five times, then let it come to its end."""
    rng = random.Random(0)
    codes, counts = [], []
    for attempt in range(6):
        run = start("--json", "killed.json")
        if attempt < 5:
            n_lines = counts[-1][0] if counts else 0
            wait_for_lines("killed.json", n_lines + rng.randint(0, 2))
            time.sleep(rng.uniform(0, 0.05))
            os.kill(run[0], signal.SIGKILL)
        codes.append(wait(*run)[0])
        lines = lines_of("killed.json.journal")
        fits = [json.loads(line)["fit"] for line in lines if line.endswith("}")]
        counts.append((len(fits), len(set(fits)), Path("killed.json").exists()))
    return {"codes": codes, "counts": counts}


def interrupted():
    """Interrupt a run as Ctrl-C does, once some fits are finished."""
    run = start("--json", "interrupted.json", "--markdown", "interrupted.md")
    wait_for_lines("interrupted.json", 2)
    os.kill(run[0], signal.SIGINT)
    code, output = wait(*run)
    return {
        "code": code,
        "output": output,
        "files": sorted(p.name for p in Path().glob("interrupted*")),
        "n_lines": len(lines_of("interrupted.json.journal")),
    }


def full():
    """Let no file grow beyond some bytes, as on a disk that is full."""
    code, output = wait(*start("--json", "full.json", limit=1000))
    return {
        "code": code,
        "output": output,
        "files": sorted(p.name for p in Path().glob("*full*")),
        "n_lines": len(lines_of("full.json.journal")),
    }


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    with redirect_stdout(StringIO()):  # and import all that the forks will need
        cli.main(["compare", *OPTIONS, "--json", "whole.json"])
    found = {case.__name__: case() for case in (killed, interrupted, full)}
    json.dump(found, sys.stdout)
