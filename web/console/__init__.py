"""What operators see, and what they may do about it."""
