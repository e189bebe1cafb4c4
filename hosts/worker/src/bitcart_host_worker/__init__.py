"""RQ workers in lanes, and the dispatcher of the outbox."""
