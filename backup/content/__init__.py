"""What a database holds, as numbers and text that can be compared."""
