"""Stories of turns."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table `turn`."""
    op.create_table(
        "turn",
        sa.Column("turn_id", sa.String(32), primary_key=True),
        sa.Column("conv", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("accepted_at", sa.BigInteger, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("author_role", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("heard", sa.Text, nullable=False),
        sa.Column("audio_ms", sa.Float, nullable=False),
        sa.Column("story", sa.JSON, nullable=False),
    )
    op.create_index("ix_turn_conv_accepted", "turn", ["conv", "accepted_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("turn")
