"""Static files: hashed names, and serving them."""
