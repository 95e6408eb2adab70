"""Modules and functions stay small, and importing does nothing."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "services").rglob("*.py"))
MAX_FUNCTION_LINES = 50
MAX_MODULE_LINES = 300
HARMLESS = (
    ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign,
    ast.AnnAssign, ast.If, ast.TypeAlias if hasattr(ast, "TypeAlias") else ast.Assign,
)  # fmt: skip


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_module_and_its_functions_are_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_MODULE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MAX_FUNCTION_LINES, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_importing_a_module_does_nothing(path: Path) -> None:
    """Top-level statements define things; none is a bare call, a loop or a `global`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        main = path.name in ("__main__.py", "env.py")  # entry points; Alembic runs env.py
        assert main or docstring or isinstance(node, HARMLESS), f"line {node.lineno}"
    assert not any(isinstance(node, ast.Global) for node in ast.walk(tree))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_module_is_called_a_drawer_for_anything(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "common", "misc", "manager", "base_utils"}
