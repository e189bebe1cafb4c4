"""A merchant's own executables."""
