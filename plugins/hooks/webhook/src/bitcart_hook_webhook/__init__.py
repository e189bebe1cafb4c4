"""Signed webhooks and the plain IPN."""
