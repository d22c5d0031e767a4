"""Measures one Worker beside the same one written by hand and with its peers, on Pyodide in node."""
