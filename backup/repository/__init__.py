"""Where backups lie: one restic repository per target, local or elsewhere."""
