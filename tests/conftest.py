"""What every test has."""

import pytest

from tests.support.stack import stack as stack  # a session's one running stack, for any test


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
