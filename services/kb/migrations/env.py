"""Alembic's entry: which tables are kb's."""

from services.kb.models import KbTable
from services.kernel.database import run_migrations

run_migrations(KbTable.metadata)
