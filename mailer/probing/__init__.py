"""How every part is found, minute by minute: measured, written down, summed up by day."""
