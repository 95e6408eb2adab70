"""Schemathesis walks each service's OpenAPI with made-up calls: whatever comes, no 500.

https://schemathesis.readthedocs.io/
"""

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from services.kernel.errors import InternalError
from tests.contract.conftest import Service

pytestmark = pytest.mark.process

CALLS_PER_OPERATION = 25


# Both come from inside schemathesis, not from what is tested.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
def test_no_made_up_call_gives_an_internal_error(service: Service) -> None:
    schema = schemathesis.openapi.from_url(f"{service.base_url}/openapi.json")
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # an invalid schema fails the test here
        if operation.path == "/metrics":
            continue

        @settings(
            max_examples=CALLS_PER_OPERATION,
            phases=[Phase.explicit, Phase.generate],
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def call(case: schemathesis.Case[Any]) -> None:
            sent = case.as_transport_kwargs(base_url=service.base_url, headers=service.admin)
            # The head is enough: some streams never end.
            with requests.request(**sent, stream=True, timeout=30) as response:
                assert response.status_code != InternalError.status, response.text

        call()
        tried += 1
    assert tried > 0
