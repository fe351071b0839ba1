"""What the gate said, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table `verdict`."""
    op.create_table(
        "verdict",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("turn_id", sa.String(32), nullable=False),
        sa.Column("conv", sa.String(80), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("stage", sa.String(8), nullable=False),
        sa.Column("surface", sa.String(16), nullable=False),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("view", sa.String(24), nullable=False),
        sa.Column("ms", sa.Float, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("found_from", sa.Integer, nullable=False),
        sa.Column("found_to", sa.Integer, nullable=False),
    )
    op.create_index("ix_verdict_turn", "verdict", ["turn_id"])
    op.create_index("ix_verdict_at", "verdict", ["at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("verdict")
