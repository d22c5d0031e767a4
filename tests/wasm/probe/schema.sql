CREATE TABLE probe (id TEXT PRIMARY KEY, note TEXT); -- a comment; with a semicolon
INSERT INTO probe (id, note) VALUES ('null', NULL);
