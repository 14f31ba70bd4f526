"""How the backups do: what targets take, what is wrong, and who is told of it."""
