"""Alembic's entry: which tables are meant."""

from services.analytics import gap_models, journal_models
from services.analytics.models import AnalyticsTable
from services.kernel.database import run_migrations

assert all((gap_models, journal_models))  # noqa: S101  # their tables are meant, too
run_migrations(AnalyticsTable.metadata)
