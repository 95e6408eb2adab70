"""The tables of workflows in llm_proxy's database. Times are text, RFC 3339 in UTC; leases are
seconds since the epoch, which all instances read from one machine's clock."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

METADATA = MetaData()

# What tasks run, as it was when they began; equal ones are kept once.
DEFINITIONS = Table(
    "workflow_definitions",
    METADATA,
    Column("digest", String, primary_key=True),
    Column("body", JSON, nullable=False),
)

TASKS = Table(
    "workflow_tasks",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("workflow", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("status", String, nullable=False),
    Column("definition", ForeignKey("workflow_definitions.digest"), nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("poem", JSON),
    Column("poem_id", String, index=True),
    Column("briefing", JSON),
    Column("prepared", Integer, nullable=False),  # 1: it is settled whether there is a briefing
    Column("only_one", String),  # of the tasks with this key one may be under way
    Column("message", String, nullable=False),
    Column("error", JSON),
    Column("result", JSON),
    Column("result_id", String, index=True),  # of what kb keeps of it
    Column("request_id", String, nullable=False),
    Column("lease_holder", String),
    Column("lease_until", Float),
    Column("claims", Integer, nullable=False),  # since a step was finished last
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
    Column("ended_at", String),
    Index("workflow_tasks_by_state", "status", "workflow", "number"),
    Index(
        "workflow_tasks_only_one",
        "only_one",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

STEPS = Table(
    "workflow_steps",
    METADATA,
    Column("task_id", ForeignKey("workflow_tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("status", String, nullable=False),
    Column("performer", String, nullable=False),  # person, or a name in the definition's models
    Column("prompt", JSON),  # the messages, as they were sent or shown
    Column("answer", Text),
    Column("outputs", JSON),
    Column("asked_model", String),
    Column("model", String),  # the one that really answered
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    Column("cost_usd", Float),
    Column("seconds", Float),
    Column("attempts", Integer, nullable=False),
    Column("started_at", String),
    Column("ended_at", String),
)

# What watchers are told. `number` rises over all tasks, `position` within one: the id on the wire.
EVENTS = Table(
    "workflow_events",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("task_id", ForeignKey("workflow_tasks.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("event", String, nullable=False),
    Column("data", JSON, nullable=False),
    Index("workflow_events_of_a_task", "task_id", "position", unique=True),
    sqlite_autoincrement=True,
)
