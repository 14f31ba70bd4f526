"""Notices: what people are told when something breaks, by pages and by mail to who subscribed."""
