"""Mail that the application writes: finished, and queued in the transaction of its cause."""
