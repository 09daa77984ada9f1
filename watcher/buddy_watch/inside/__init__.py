"""Programs and plugins that run inside pytest's own processes; the watcher talks to them by messages only."""
