"""The outbox's mail on its way: claimed, sent, recorded, held back, taken up after a crash."""
