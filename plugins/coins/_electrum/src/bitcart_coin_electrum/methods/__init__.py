"""The methods a daemon answers beyond Electrum's own: small modules by noun, each with its list of methods."""
