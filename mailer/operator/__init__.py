"""What an operator asks on the command line, and the answers."""
