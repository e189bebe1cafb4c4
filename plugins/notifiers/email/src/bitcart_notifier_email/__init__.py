"""E-mails to buyer and merchant."""
