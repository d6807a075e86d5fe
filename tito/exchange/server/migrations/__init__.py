"""alembic's migrations of the exchange's tables."""
