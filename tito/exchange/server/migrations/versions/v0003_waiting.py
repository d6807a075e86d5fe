"""Prechecks over the rate limit wait until it allows them: before, they were never made."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of each student and assignment the newest is made, as if it had been handed in now."""
    op.execute(
        "UPDATE precheck_job SET state = CASE WHEN EXISTS (SELECT 1 FROM precheck_job AS newer WHERE newer.course = "
        "precheck_job.course AND newer.student = precheck_job.student AND newer.assignment = precheck_job.assignment "
        "AND newer.number > precheck_job.number) THEN 'replaced' ELSE 'waiting' END WHERE state = 'limited'"
    )


def downgrade() -> None:
    op.execute("UPDATE precheck_job SET state = 'limited' WHERE state = 'waiting' AND next_at IS NOT NULL")
