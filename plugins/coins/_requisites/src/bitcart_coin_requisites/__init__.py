"""Fetching what no Python index carries: Debian packages, npm packages."""
