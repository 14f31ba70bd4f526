"""Delivers the outbox: claims mail, hands it to the relay, and tries again where that may help."""
