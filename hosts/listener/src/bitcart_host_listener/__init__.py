"""Stores what the daemons see."""
