"""Notifications by every service Apprise knows."""
