"""The routes, a resource per file: they fetch, call the kernel and show; they hold no logic."""
