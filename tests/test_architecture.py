"""The layering: each layer may import the ones below it, never the ones above."""

import ast
import tokenize
from io import StringIO
from pathlib import Path
from pprint import pformat

import skda

ROOT = Path(skda.__file__).parent
LAYERS = [
    ("utils",),
    ("losses", "modules", "preprocessing"),
    ("training", "metrics", "datasets"),
    ("base",),
    ("heterogeneous", "unsupervised", "retrieval", "baselines"),
    ("partial",),
    ("auto",),
    ("model_selection", "comparison", "export"),
    ("inspection", "persistence"),
    ("cli",),
    ("__main__",),
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
FILES = sorted(p for p in ROOT.rglob("*.py") if p != ROOT / "__init__.py")


def _imports(path):
    """Name what a module imports; `import skda` itself is free to all."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def _name(path):
    return str(path.relative_to(ROOT))


def test_imports_point_downwards():
    upwards = {}
    for path in FILES:
        here = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for module in _imports(path):
            top, _, rest = module.partition(".")
            there = rest.split(".")[0]
            if top == "skda" and there not in ("", here) and RANK[there] >= RANK[here]:
                upwards.setdefault(_name(path), []).append(module)

    assert not upwards, pformat(upwards, width=160)


def test_private_sklearn_names_come_through_the_shim():
    private = {
        _name(path): found
        for path in FILES
        if path.name != "_sklearn.py"
        and (
            found := [
                m for m in _imports(path) if m.startswith("sklearn.") and "._" in m
            ]
        )
    }

    assert not private, pformat(private, width=160)


def _code_lines(text):
    """Number the lines that are more than docstring, comment or blank."""
    idle = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENCODING}
    idle |= {tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    docs = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    tokens = tokenize.generate_tokens(StringIO(text).readline)
    busy = {
        line for t in tokens if t.type not in idle for line in (t.start[0], t.end[0])
    }
    return busy - docs


def _excesses(path):
    """Say by how much a file, and the functions in it, are too long."""
    text = path.read_text()
    code = _code_lines(text)
    is_method = path.name.startswith("_") and "utils" not in path.parts
    sizes = {
        "lines of code": (len(code), 250 if is_method else 400),
        "lines": (text.count("\n"), 400 if is_method else 500),
    }
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = set(range(node.body[0].lineno, node.end_lineno + 1))
            sizes[f"lines of code in {node.name}"] = (len(code & body), 40)
    return [f"{n} {what}, not {most}" for what, (n, most) in sizes.items() if n > most]


def test_files_and_functions_stay_small():
    excesses = {_name(path): found for path in FILES if (found := _excesses(path))}

    assert not excesses, pformat(excesses, width=160)
