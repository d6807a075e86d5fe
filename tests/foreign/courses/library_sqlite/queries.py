# %% [markdown]
# # A library in SQL
# The file `library.db` holds a small library. Tables: `books(id, title, author, year)` and `loans(book, reader, days)`.

# %% locked="connect"
import sqlite3

def connect():
    return sqlite3.connect("library.db")

def rows(query, *parameters):
    """All rows of a query."""
    connection = connect()
    try:
        return connection.execute(query, parameters).fetchall()
    finally:
        connection.close()

# %% [markdown]
# 1. Titles of all books from before a year, the oldest first.

# %% solution="older_than"
def older_than(year):
    ### BEGIN SOLUTION
    return [title for (title,) in rows("SELECT title FROM books WHERE year < ? ORDER BY year", year)]
    ### END SOLUTION

# %% test="test_older_than" points=1
assert older_than(1980) == ["The Lighthouse Keeper"]
### BEGIN HIDDEN TESTS
assert older_than(2000) == ["The Lighthouse Keeper", "Paper Boats", "Salt"]
assert older_than(1900) == []
### END HIDDEN TESTS

# %% [markdown]
# 2. How often each book was lent, as a dictionary by title; books that nobody wanted count 0.

# %% solution="loans_by_title"
def loans_by_title():
    ### BEGIN SOLUTION
    query = "SELECT title, COUNT(reader) FROM books LEFT JOIN loans ON book = id GROUP BY id"
    return dict(rows(query))
    ### END SOLUTION

# %% test="test_loans_by_title" points=2
counts = loans_by_title()
assert counts["The Lighthouse Keeper"] == 3
### BEGIN HIDDEN TESTS
assert counts == {"The Lighthouse Keeper": 3, "Salt": 1, "Paper Boats": 1, "Winter Ledger": 0}
### END HIDDEN TESTS

# %% [markdown]
# 3. A query as text: readers with their days in all, the keenest reader first. Write it into the variable `KEEN`.

# %% solution="keen"
### BEGIN SOLUTION
KEEN = """
SELECT reader, SUM(days) AS total
FROM loans GROUP BY reader ORDER BY total DESC
"""
### END SOLUTION

# %% test="test_keen" points=2
import sqlite3 as sql
con = sql.connect("library.db")
cur = con.cursor()
cur.execute(KEEN)
table = cur.fetchall()
assert table[0][0] == "kim"
### BEGIN HIDDEN TESTS
assert [tuple(row) for row in table] == [("kim", 44), ("max", 28), ("lou", 3)]
memory = sql.connect(":memory:")
memory.executescript("CREATE TABLE loans (book, reader, days); INSERT INTO loans VALUES (1, 'zoe', 2), (2, 'yan', 9)")
assert memory.execute(KEEN).fetchall() == [("yan", 9), ("zoe", 2)]
### END HIDDEN TESTS
con.close()

# %% [markdown]
# 4. Add a book to a library that is given as a connection; return its id.

# %% solution="add_book"
def add_book(connection, title, author, year):
    ### BEGIN SOLUTION
    cursor = connection.execute("INSERT INTO books (title, author, year) VALUES (?, ?, ?)", (title, author, year))
    connection.commit()
    return cursor.lastrowid
    ### END SOLUTION

# %% test="test_add_book_memory" points=2
scratch = sqlite3.connect(":memory:")
scratch.execute("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author TEXT, year INTEGER)")
number = add_book(scratch, "Fog", "A. N. Other", 2020)
assert number == 1
### BEGIN HIDDEN TESTS
assert add_book(scratch, "It's raining", "O'Hara", 2021) == 2, "quote with parameters"
assert scratch.execute("SELECT title FROM books ORDER BY id").fetchall() == [("Fog",), ("It's raining",)]
### END HIDDEN TESTS

# %% test="test_add_book_file" points=1
connection = connect()
before = connection.execute("SELECT COUNT(*) FROM books").fetchone()[0]
add_book(connection, "Harbour", "Mira Olsen", 1990)
after = connect().execute("SELECT COUNT(*) FROM books").fetchone()[0]
assert after == before + 1, "is your insert committed?"
connection.close()

# %% [markdown]
# 5. No such table: return `None` instead of an error of the database.

# %% solution="count_rows"
def count_rows(table):
    ### BEGIN SOLUTION
    try:
        return rows(f"SELECT COUNT(*) FROM {table}")[0][0]
    except sqlite3.OperationalError:
        return None
    ### END SOLUTION

# %% test="test_count_rows" points=1
assert count_rows("loans") == 5
### BEGIN HIDDEN TESTS
assert count_rows("magazines") is None
### END HIDDEN TESTS
