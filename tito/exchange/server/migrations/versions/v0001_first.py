"""The first form of the exchange's tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "course",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
    )
    op.create_table(
        "manifest",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_manifest")),
    )
    op.create_table(
        "fetch",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("course", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("assignment", sa.String(length=200), nullable=False),
        sa.Column("student", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["course"], ["course.id"], name=op.f("fk_fetch_course")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_fetch")),
    )
    op.create_index("ix_fetch_course_assignment", "fetch", ["course", "assignment"], unique=False)
    op.create_table(
        "file",
        sa.Column("manifest", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["manifest"], ["manifest.sha256"], name=op.f("fk_file_manifest")),
        sa.PrimaryKeyConstraint("manifest", "position", name=op.f("pk_file")),
    )
    op.create_table(
        "policy",
        sa.Column("course", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["course"], ["course.id"], name=op.f("fk_policy_course")),
        sa.PrimaryKeyConstraint("course", "revision", name=op.f("pk_policy")),
    )
    op.create_table(
        "release",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("course", sa.String(length=200), nullable=False),
        sa.Column("assignment", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("released_at", sa.DateTime(), nullable=False),
        sa.Column("released_by", sa.String(length=200), nullable=False),
        sa.Column("manifest", sa.String(length=64), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["course"], ["course.id"], name=op.f("fk_release_course")),
        sa.ForeignKeyConstraint(["manifest"], ["manifest.sha256"], name=op.f("fk_release_manifest")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_release")),
        sa.UniqueConstraint("course", "assignment", "revision", name=op.f("uq_release_course_assignment_revision")),
    )
    op.create_table(
        "submission",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("course", sa.String(length=200), nullable=False),
        sa.Column("assignment", sa.String(length=200), nullable=False),
        sa.Column("student", sa.String(length=200), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("manifest", sa.String(length=64), nullable=False),
        sa.Column("release", NUMBER, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["course"], ["course.id"], name=op.f("fk_submission_course")),
        sa.ForeignKeyConstraint(["manifest"], ["manifest.sha256"], name=op.f("fk_submission_manifest")),
        sa.ForeignKeyConstraint(["release"], ["release.number"], name=op.f("fk_submission_release")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_submission")),
        sa.UniqueConstraint(
            "course", "student", "assignment", "key", name=op.f("uq_submission_course_student_assignment_key")
        ),
        sa.UniqueConstraint("id", name=op.f("uq_submission_id")),
    )
    op.create_index("ix_submission_course_assignment", "submission", ["course", "assignment"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("submission", NUMBER, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("released_at", sa.DateTime(), nullable=False),
        sa.Column("released_by", sa.String(length=200), nullable=False),
        sa.Column("manifest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["manifest"], ["manifest.sha256"], name=op.f("fk_feedback_manifest")),
        sa.ForeignKeyConstraint(["submission"], ["submission.number"], name=op.f("fk_feedback_submission")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_feedback")),
        sa.UniqueConstraint("submission", "revision", name=op.f("uq_feedback_submission_revision")),
    )


def downgrade() -> None:
    op.drop_table("feedback")
    op.drop_index("ix_submission_course_assignment", table_name="submission")
    op.drop_table("submission")
    op.drop_table("release")
    op.drop_table("policy")
    op.drop_table("file")
    op.drop_index("ix_fetch_course_assignment", table_name="fetch")
    op.drop_table("fetch")
    op.drop_table("manifest")
    op.drop_table("course")
