"""Prices set by the operator."""
