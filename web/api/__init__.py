"""The JSON API, and which other sites may read it."""
