"""The logical backup: a dump of one snapshot, stored, restored, compared."""
