"""The bodies of the contract (REST API contract, section 4), a noun per file."""
