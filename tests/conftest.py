"""What every test has."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import migrations
from tests.support.browser import browser as browser  # a session's one Chromium
from tests.support.stack import stack as stack  # a session's one running stack, for any test

_HERE = Path(__file__).parent
_OF_PROCESSES = {"bench", "deploy"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole folders whose tests start nginx, PM2 or services; other modules say so themselves.

    Playwright keeps an event loop running from its first use on, and beside that no test can have
    one of its own: who looks at pages comes last.
    """
    for item in items:
        if item.path.relative_to(_HERE).parts[0] in _OF_PROCESSES:
            item.add_marker(pytest.mark.process)
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _migrations_are_repeated() -> Iterator[None]:
    with migrations.repeated():
        yield
