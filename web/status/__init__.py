"""How well the parts of this deployment are."""
