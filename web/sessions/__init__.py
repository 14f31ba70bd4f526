"""Sessions: what the site remembers of a visitor, on its own side."""
