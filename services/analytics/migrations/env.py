"""Alembic's entry: which tables are meant."""

from services.analytics.models import AnalyticsTable
from services.kernel.database import run_migrations

run_migrations(AnalyticsTable.metadata)
