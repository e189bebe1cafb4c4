"""Real development chains on loopback: `bitcart devchain`."""
