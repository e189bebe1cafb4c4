"""Notifications by the services that Apprise knows, each sent by a process that can reach nothing else."""

from bitcart_notifier_apprise.plugin import AppriseNotifier, AppriseNotifiers, AppriseSettings

__all__ = ["AppriseNotifier", "AppriseNotifiers", "AppriseSettings"]
