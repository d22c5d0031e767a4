"""The local edge: serves an app with SQLite, checks it, and stages what the Worker uploads."""
