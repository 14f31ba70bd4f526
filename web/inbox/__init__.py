"""The development inbox: mail as it will be, or was, delivered. Production has none."""
