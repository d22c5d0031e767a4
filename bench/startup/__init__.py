"""Measures how long Workers take to import, on Pyodide in node, and lists what they import."""
