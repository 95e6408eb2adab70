"""Alembic's entry: which tables are llm_proxy's."""

from services.kernel.database import run_migrations
from services.llm_proxy.keys.tables import METADATA

run_migrations(METADATA)
