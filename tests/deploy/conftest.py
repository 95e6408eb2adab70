"""Fixtures: nginx under both prefixes that the first deployments use."""

from collections.abc import Iterator

import pytest

from tests.deploy.site import Site, site

PREFIXES = ("/", "/~temp/mogine_agent/")


@pytest.fixture(scope="module", params=PREFIXES, ids=["root", "prefix"])
def door(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A running nginx, once under `/` and once under a prefix."""
    folder = tmp_path_factory.mktemp("site")
    with site(folder, {"TRIVET_PREFIX": request.param}) as running_site:
        yield running_site
