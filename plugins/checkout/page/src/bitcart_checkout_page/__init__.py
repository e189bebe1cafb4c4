"""The page a buyer pays on."""
