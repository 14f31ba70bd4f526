"""Coming to a verified login at the relay, and handing one mail over."""
