"""Prechecks: the queue of submissions whose visible tests are to be run, and what came of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "precheck_job",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("submission", NUMBER, nullable=False),
        sa.Column("course", sa.String(length=200), nullable=False),
        sa.Column("assignment", sa.String(length=200), nullable=False),
        sa.Column("student", sa.String(length=200), nullable=False),
        sa.Column("queued_at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(), nullable=True),
        sa.Column("claimed_by", sa.String(length=200), nullable=True),
        sa.Column("leased_until", sa.DateTime(), nullable=True),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["course"], ["course.id"], name=op.f("fk_precheck_job_course")),
        sa.ForeignKeyConstraint(["submission"], ["submission.number"], name=op.f("fk_precheck_job_submission")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_precheck_job")),
        sa.UniqueConstraint("submission", name=op.f("uq_precheck_job_submission")),
    )
    op.create_index("ix_precheck_job_course_state", "precheck_job", ["course", "state"], unique=False)
    op.create_index("ix_precheck_job_student_course", "precheck_job", ["student", "course"], unique=False)
    op.create_table(
        "precheck_result",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("job", NUMBER, nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("engine", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["precheck_job.number"], name=op.f("fk_precheck_result_job")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_precheck_result")),
        sa.UniqueConstraint("job", name=op.f("uq_precheck_result_job")),
    )


def downgrade() -> None:
    op.drop_table("precheck_result")
    op.drop_index("ix_precheck_job_student_course", table_name="precheck_job")
    op.drop_index("ix_precheck_job_course_state", table_name="precheck_job")
    op.drop_table("precheck_job")
