"""Caching: public pages and query results, made once and kept until the data changes."""
