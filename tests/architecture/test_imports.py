"""The three owners never import one another, and the kernel imports none of them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWNERS = ("llm_proxy", "kb", "analytics")
# A protocol of the wire is the kernel's, although only the gateway reads event streams so far.
PROTOCOLS = {"sse"}


@cache
def imported_modules(path: Path) -> tuple[str, ...]:
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def service_imports(package: str) -> set[tuple[str, str]]:
    """(file, imported service package) for every import of `services.…` under `package`."""
    found = set()
    for path in (ROOT / "services" / package).rglob("*.py"):
        for name in imported_modules(path):
            if name.startswith("services."):
                found.add((str(path.relative_to(ROOT)), name.split(".")[1]))
    return found


@pytest.mark.parametrize("owner", OWNERS)
def test_an_owner_imports_the_kernel_and_itself_alone(owner: str) -> None:
    foreign = {(file, to) for file, to in service_imports(owner) if to not in {"kernel", owner}}
    assert foreign == set()


def test_the_kernel_imports_no_service() -> None:
    assert {(file, to) for file, to in service_imports("kernel") if to != "kernel"} == set()


@pytest.mark.parametrize("module", sorted((ROOT / "services" / "kernel").glob("*.py")))
def test_a_kernel_module_is_used_by_two_services_or_by_the_kernel(module: Path) -> None:
    name = module.stem
    if name == "__init__" or name in PROTOCOLS:
        return
    users = set()
    for path in (ROOT / "services").rglob("*.py"):
        if path != module and any(
            imported.startswith(f"services.kernel.{name}") for imported in imported_modules(path)
        ):
            users.add(path.relative_to(ROOT / "services").parts[0])
    assert "kernel" in users or len(users) >= 2, f"{name} belongs to {users or 'nobody'}"
