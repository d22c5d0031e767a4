"""Each layer around real routes, through the door of the application."""
