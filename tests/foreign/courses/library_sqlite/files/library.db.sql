CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author TEXT, year INTEGER);
CREATE TABLE loans (book INTEGER REFERENCES books(id), reader TEXT, days INTEGER);
INSERT INTO books VALUES (1, 'The Lighthouse Keeper', 'Mira Olsen', 1971), (2, 'Salt', 'Jon Hale', 1999),
  (3, 'Paper Boats', 'Mira Olsen', 1984), (4, 'Winter Ledger', 'Ada Brandt', 2008);
INSERT INTO loans VALUES (1, 'kim', 14), (1, 'lou', 3), (2, 'kim', 30), (3, 'max', 7), (1, 'max', 21);
