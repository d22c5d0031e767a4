"""Users, keys and sessions: tested through `Auth`, on SQLite, with a clock moved by hand."""
