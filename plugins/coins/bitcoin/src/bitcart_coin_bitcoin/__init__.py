"""Bitcoin, with Electrum inside."""
