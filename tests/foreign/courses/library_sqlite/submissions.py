# ==== honest: plain cursors and loops
# %% older_than
def older_than(year):
    con = connect()
    cur = con.cursor()
    titles = []
    for row in cur.execute("select title, year from books order by year asc"):
        if row[1] < year:
            titles.append(row[0])
    con.close()
    return titles
# %% loans_by_title
def loans_by_title():
    result = {title: 0 for (title,) in rows("SELECT title FROM books")}
    for title, in rows("SELECT title FROM loans JOIN books ON loans.book = books.id"):
        result[title] += 1
    return result
# %% keen
KEEN = "select reader, sum(days) from loans group by reader order by sum(days) desc"
# %% + after:keen
for line in rows(KEEN):
    print(*line)
# %% add_book
def add_book(connection, title, author, year):
    cur = connection.cursor()
    cur.execute("INSERT INTO books(title, author, year) VALUES(:t, :a, :y)", {"t": title, "a": author, "y": year})
    connection.commit()
    (number,) = connection.execute("SELECT MAX(id) FROM books").fetchone()
    return number
# ==== honest: pandas, and a with statement for the transaction
# %% older_than
import pandas as pd

def table(query):
    with sqlite3.connect("library.db") as con:
        return pd.read_sql(query, con)

def older_than(year):
    frame = table("SELECT * FROM books").sort_values("year")
    return frame[frame.year < year].title.tolist()
# %% loans_by_title
def loans_by_title():
    frame = table("SELECT title, (SELECT COUNT(*) FROM loans WHERE book = books.id) AS n FROM books")
    return {title: int(n) for title, n in zip(frame.title, frame.n)}
# %% add_book
def add_book(connection, title, author, year):
    with connection:
        return connection.execute("INSERT INTO books VALUES (NULL, ?, ?, ?)", [title, author, year]).lastrowid
# %% count_rows
def count_rows(table):
    names = [name for name, in rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    if table not in names:
        return None
    return len(rows(f"SELECT * FROM {table}"))
# ==== honest: tries its insert on the file that came with the assignment
# %% + after:add_book
con = connect()
print(add_book(con, "Trial", "me", 2024))
con.execute("DELETE FROM books WHERE author = 'me'")
con.commit()
con.close()
# %% + after:loans_by_title
loans_by_title()
# %% keen
KEEN = '''WITH sums AS (SELECT reader, SUM(days) d FROM loans GROUP BY 1)
SELECT reader, d FROM sums ORDER BY d DESC, reader'''
# %% count_rows
def count_rows(table):
    try:
        con = connect()
        n = con.execute("SELECT COUNT(*) FROM " + table).fetchone()
        return n[0]
    except Exception as e:
        print("no table", table, e)
    finally:
        con.close()
# ==== mistake: wrong order, and inner join
# %% older_than
def older_than(year):
    return [t for t, in rows("SELECT title FROM books WHERE year < ? ORDER BY title", year)]
# %% loans_by_title
def loans_by_title():
    return dict(rows("SELECT title, COUNT(*) FROM books JOIN loans ON book = id GROUP BY id"))
# ==== mistake: text is pasted into the query, and nothing is committed
# %% add_book
def add_book(connection, title, author, year):
    cur = connection.execute(f"INSERT INTO books (title, author, year) VALUES ('{title}', '{author}', {year})")
    return cur.lastrowid
# ==== mistake: rows instead of titles, a query with a typing error, and an error that gets out
# %% older_than
def older_than(year):
    return rows("SELECT title FROM books WHERE year < ? ORDER BY year", year)
# %% keen
KEEN = "SELEC reader, SUM(days) FROM loans GROUP BY reader"
# %% count_rows
def count_rows(table):
    return rows(f"SELECT COUNT(*) FROM {table}")[0][0]
