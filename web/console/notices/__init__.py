"""Notices in the console: listed, written, published, gone on with, and their mail watched."""
