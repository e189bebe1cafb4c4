"""The command line's own commands, one per file."""
