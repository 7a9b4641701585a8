-- Never read: colours are kept in a cookie of the browser, and forms are known by where they were
-- sent from.
ALTER TABLE users DROP COLUMN theme;
ALTER TABLE sessions DROP COLUMN csrf;
