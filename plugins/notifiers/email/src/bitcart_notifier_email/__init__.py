"""Tell buyer and merchant by e-mail what became of an invoice."""

from bitcart_notifier_email.plugin import Email
from bitcart_notifier_email.settings import EmailPluginSettings, EmailStoreSettings, SmtpSettings

__all__ = ["Email", "EmailPluginSettings", "EmailStoreSettings", "SmtpSettings"]
