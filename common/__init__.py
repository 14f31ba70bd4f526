"""What several services need; it imports none of them."""
