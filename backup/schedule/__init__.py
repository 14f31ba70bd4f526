"""The worker: what is due, in processes of their own."""
