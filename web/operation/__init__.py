"""What operators and programs ask: health, figures, the development inbox."""
