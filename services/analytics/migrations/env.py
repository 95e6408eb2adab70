"""Alembic's entry: which tables are meant."""

from services.analytics import gap_models
from services.analytics.models import AnalyticsTable
from services.kernel.database import run_migrations

assert gap_models  # noqa: S101  # its tables are meant, too
run_migrations(AnalyticsTable.metadata)
