"""The backup worker: takes backups, proves them by restoring them, keeps and restores them."""
