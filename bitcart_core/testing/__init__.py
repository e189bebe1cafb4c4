"""The test kit for authors of plugins: a pytest plugin with a real database, fakes, and contracts to pass."""
