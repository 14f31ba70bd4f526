"""What holds for every request and its answer."""
