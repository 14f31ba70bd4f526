"""A mail server under the tests' control."""
