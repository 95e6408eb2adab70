"""Alembic's entry: which tables are kb's, those of poems, which build upon the others, included."""

from services.kb.poems.tables import POEMS
from services.kernel.database import run_migrations

run_migrations(POEMS.metadata)
