"""What is known of each backup: the manifests, their mirror in the database, and how long they count."""
