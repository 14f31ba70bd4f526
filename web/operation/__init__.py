"""What operators and programs ask: health and figures."""
