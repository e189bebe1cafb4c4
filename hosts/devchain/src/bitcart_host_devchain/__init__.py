"""Real development chains on loopback."""
