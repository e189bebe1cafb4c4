"""Ask a price service over HTTP."""
