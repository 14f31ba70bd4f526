"""Subscribing to notices by e-mail, and leaving."""
