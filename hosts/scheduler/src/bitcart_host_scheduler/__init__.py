"""Triggers sweeps by interval."""
