"""How the schema and the backups came to be what they are, in git: readable without us, and elsewhere too."""
