"""Plots: series of times and values as SVG and as a table, drawn here, without a script."""
