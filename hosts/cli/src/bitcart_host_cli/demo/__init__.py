"""`bitcart demo`: a whole deployment with a chain of its own, a store, a buyer, and everyone who must hear of it."""
