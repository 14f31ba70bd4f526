"""The web application: pages, JSON API, and mail into the outbox, which it never sends itself."""
