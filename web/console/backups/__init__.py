"""The backups, as operators see them; what is done about them, the backup worker does."""
