"""Workflows: definitions as they were, tasks, their steps and their events."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workflow_definitions",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("body", sa.JSON, nullable=False),
    )
    _create_tasks()
    _create_steps()
    op.create_table(
        "workflow_events",
        sa.Column("number", sa.Integer, primary_key=True),
        _task_id(),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "workflow_events_of_a_task", "workflow_events", ["task_id", "position"], unique=True
    )


def _create_tasks() -> None:
    op.create_table(
        "workflow_tasks",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("workflow", "mode", "status")),
        sa.Column(
            "definition", sa.String, sa.ForeignKey("workflow_definitions.digest"), nullable=False
        ),
        sa.Column("inputs", sa.JSON, nullable=False),
        sa.Column("poem", sa.JSON),
        sa.Column("poem_id", sa.String, index=True),
        sa.Column("briefing", sa.JSON),
        sa.Column("prepared", sa.Integer, nullable=False),
        sa.Column("only_one", sa.String),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("error", sa.JSON),
        sa.Column("result", sa.JSON),
        sa.Column("result_id", sa.String, index=True),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("lease_holder", sa.String),
        sa.Column("lease_until", sa.Float),
        sa.Column("claims", sa.Integer, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("ended_at", sa.String),
        sqlite_autoincrement=True,
    )
    op.create_index("workflow_tasks_by_state", "workflow_tasks", ["status", "workflow", "number"])
    under_way = sa.text("ended_at IS NULL")
    op.create_index(
        "workflow_tasks_only_one",
        "workflow_tasks",
        ["only_one"],
        unique=True,
        sqlite_where=under_way,
        postgresql_where=under_way,
    )


def _create_steps() -> None:
    op.create_table(
        "workflow_steps",
        _task_id(primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("name", "status", "performer")),
        sa.Column("prompt", sa.JSON),
        sa.Column("answer", sa.Text),
        sa.Column("outputs", sa.JSON),
        *(sa.Column(name, sa.String) for name in ("asked_model", "model")),
        *(sa.Column(name, sa.Integer) for name in ("input_tokens", "output_tokens")),
        *(sa.Column(name, sa.Float) for name in ("cost_usd", "seconds")),
        sa.Column("attempts", sa.Integer, nullable=False),
        *(sa.Column(name, sa.String) for name in ("started_at", "ended_at")),
    )


def _task_id(*, primary_key: bool = False) -> sa.Column[str]:
    task = sa.ForeignKey("workflow_tasks.id", ondelete="CASCADE")
    return sa.Column("task_id", sa.String, task, primary_key=primary_key, nullable=False)


def downgrade() -> None:
    for table in ("events", "steps", "tasks", "definitions"):
        op.drop_table(f"workflow_{table}")
