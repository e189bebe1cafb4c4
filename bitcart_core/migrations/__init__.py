"""Alembic migrations of the kernel's own tables, one transaction each."""
