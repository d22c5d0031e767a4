"""Times Workers on workerd itself. See `__main__`."""
