"""A random mix of changes to a small shop, repeatable from its seed."""

import contextlib
import random
import threading

import pymysql

from .wait import pause, wait_until

TABLES = {
    "accounts": """
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) NOT NULL,
        balance DECIMAL(12,2) NOT NULL, ratio DOUBLE NULL, status ENUM('new','active','closed') NULL,
        flags SET('a','b','c') NULL, note TEXT NULL, made DATETIME(6) NOT NULL,
        seen TIMESTAMP(3) NULL, raw VARBINARY(30) NULL, small TINYINT UNSIGNED NULL""",
    "lines": """
        account INT UNSIGNED NOT NULL, number SMALLINT NOT NULL, code VARCHAR(20) NOT NULL,
        quantity MEDIUMINT NULL, detail JSON NULL, due DATE NULL, at TIME(2) NULL, bits BIT(10) NULL,
        PRIMARY KEY (account, number, code)""",
    "codes": "code VARCHAR(30) NOT NULL PRIMARY KEY, value INT NULL, price FLOAT NULL",
    "ledger": """
        id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, source BIGINT NOT NULL,
        target BIGINT NOT NULL, amount DECIMAL(10,2) NOT NULL, year YEAR NULL, body MEDIUMBLOB NULL""",
}
WORDS = ["pen", "Stock", "déjà", "水路", "", " x ", "tab\t", "new\nline", "quote'", 'double"', "back\\",
         "\0", "🚰"]
LOST = {2003, 2006, 2013, 1053, 1927}


def create(source, schema="shop"):
    source.run(f"CREATE DATABASE IF NOT EXISTS {schema}",
               *(f"CREATE TABLE {schema}.`{name}` ({columns})" for name, columns in TABLES.items()))


class Writer:
    """One connection and its random changes. `step` makes one transaction."""

    def __init__(self, source, seed, schema="shop"):
        self._source = source
        self._schema = schema
        self._random = random.Random(seed)
        self._connection = None
        self.transactions = 0

    def _cursor(self):
        if self._connection is None:
            self._connection = self._source.connect(database=self._schema, autocommit=False)
        return self._connection.cursor()

    # --- values ---

    def _text(self):
        return "".join(self._random.choices(WORDS, k=self._random.randrange(4)))

    def _or_null(self, value):
        return None if self._random.random() < 0.15 else value

    def _moment(self):
        r = self._random
        return (f"{r.randrange(1970, 2037)}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02} "
                f"{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(1, 60):02}"
                f".{r.randrange(10**6):06}")

    def _account(self):
        r, n = self._random, self._or_null
        return (self._text(), f"{r.randrange(-10**11, 10**11) / 100:.2f}",
                n(r.uniform(-1e9, 1e9)), n(r.choice(["new", "active", "closed"])),
                n(r.choice(["", "a", "a,c", "a,b,c"])), n(self._text() * r.choice([1, 1, 1, 200])),
                self._moment(), n(self._moment()), n(r.randbytes(r.randrange(30))),
                n(r.randrange(256)))

    def _line_key(self):
        r = self._random
        return r.randrange(1, 200), r.randrange(-5, 5), r.choice(["a", "b", "B-é", "c c"])

    def _line(self):
        r, n = self._random, self._or_null
        return (n(r.randrange(-8388608, 8388608)),
                n(r.choice(['{"a": [1, 2.5, null, "é"]}', "[]", '"text"', "17", "{}"])),
                n(self._moment()[:10]), n(f"{r.randrange(-838, 838)}:59:00.25"), n(r.randrange(1024)))

    def _code(self):
        return self._random.choice(["code", "Code", "kód"]) + str(self._random.randrange(300))

    def _id(self):
        return self._random.randrange(1, 4000)

    # --- changes ---

    def fill(self, accounts, lines=2000, codes=200, ledger=1000):
        """The first rows, before a pipe exists."""
        with contextlib.closing(self._cursor()) as cursor:
            for start in range(0, accounts, 1000):
                cursor.executemany(self.INSERT_ACCOUNT, [
                    self._account() for _ in range(min(1000, accounts - start))])
            cursor.executemany(self.REPLACE_LINE,
                               [(*self._line_key(), *self._line()) for _ in range(lines)])
            cursor.executemany(self.REPLACE_CODE, [
                (self._code(), self._or_null(1), self._or_null(1.5)) for _ in range(codes)])
            cursor.executemany(self.INSERT_LEDGER, [self._transfer() for _ in range(ledger)])
        self._connection.commit()

    INSERT_ACCOUNT = ("INSERT INTO accounts (name, balance, ratio, status, flags, note, made, seen, "
                      "raw, small) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)")
    REPLACE_LINE = ("REPLACE INTO `lines` (account, number, code, quantity, detail, due, at, bits) "
                    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)")
    REPLACE_CODE = "REPLACE INTO codes (code, value, price) VALUES (%s, %s, %s)"
    INSERT_LEDGER = ("INSERT INTO ledger (source, target, amount, year, body) "
                     "VALUES (%s, %s, %s, %s, %s)")

    def _transfer(self):
        r = self._random
        return (self._id(), self._id(), f"{r.randrange(10**6) / 100:.2f}",
                self._or_null(r.randrange(1901, 2156)),
                self._or_null(r.randbytes(r.choice([0, 10, 3000]))))

    def _insert(self, cursor):
        cursor.executemany(self.INSERT_ACCOUNT,
                           [self._account() for _ in range(self._random.choice([1, 1, 5, 50]))])

    def _update(self, cursor):
        first = self._id()
        cursor.execute("UPDATE accounts SET balance = balance + 1, note = %s, seen = %s, ratio = %s "
                       "WHERE id BETWEEN %s AND %s",
                       (self._or_null(self._text()), self._or_null(self._moment()),
                        self._or_null(self._random.random()), first,
                        first + self._random.choice([0, 0, 3, 40])))

    def _delete(self, cursor):
        first = self._id()
        cursor.execute("DELETE FROM accounts WHERE id BETWEEN %s AND %s",
                       (first, first + self._random.choice([0, 0, 3])))

    def _insert_again(self, cursor):
        """A key that is deleted and made again in one transaction, with other values."""
        number = self._id()
        cursor.execute("DELETE FROM accounts WHERE id = %s", (number,))
        cursor.execute(self.INSERT_ACCOUNT.replace("(name", "(id, name").replace(
            "VALUES (", "VALUES (%s, "), (number, *self._account()))
        cursor.execute("UPDATE accounts SET name = 'again' WHERE id = %s", (number,))

    def _lines(self, cursor):
        for _ in range(self._random.randrange(1, 6)):
            cursor.execute(self.REPLACE_LINE, (*self._line_key(), *self._line()))

    def _change_line_key(self, cursor):
        cursor.execute("UPDATE IGNORE `lines` SET number = %s, code = %s WHERE account = %s AND "
                       "number = %s", (*self._line_key()[1:], *self._line_key()[:2]))

    def _change_account_key(self, cursor):
        cursor.execute("UPDATE IGNORE accounts SET id = %s WHERE id = %s",
                       (self._random.randrange(4000, 100000), self._id()))

    def _codes(self, cursor):
        cursor.execute("INSERT INTO codes VALUES (%s, 1, NULL) ON DUPLICATE KEY UPDATE "
                       "value = value + 1, price = 0.1", (self._code(),))
        # The same key to the source, other bytes in ClickHouse.
        cursor.execute("UPDATE codes SET code = IF(BINARY code = BINARY UPPER(code), LOWER(code), "
                       "UPPER(code)) WHERE code = %s", (self._code(),))
        cursor.execute("DELETE FROM codes WHERE code = %s", (self._code(),))

    def _transaction(self, cursor):
        """Many tables, many rows."""
        cursor.execute(self.INSERT_LEDGER, self._transfer())
        self._update(cursor)
        self._lines(cursor)
        self._codes(cursor)
        cursor.execute("DELETE FROM ledger WHERE id = %s", (self._id(),))

    CHANGES = [(_insert, 4), (_update, 6), (_delete, 2), (_insert_again, 1), (_lines, 3),
               (_change_line_key, 2), (_change_account_key, 1), (_codes, 3), (_transaction, 3)]

    def step(self):
        """One transaction, now and then with a savepoint undone, now and then undone as a whole."""
        try:
            cursor = self._cursor()
            choices, weights = zip(*self.CHANGES)
            for change in self._random.choices(choices, weights, k=self._random.choice([1, 1, 3])):
                change(self, cursor)
            if self._random.random() < 0.1:
                cursor.execute("SAVEPOINT here")
                self._insert(cursor)
                cursor.execute("ROLLBACK TO SAVEPOINT here")
            if self._random.random() < 0.1:
                self._connection.rollback()
            else:
                self._connection.commit()
            self.transactions += 1
        except (pymysql.err.IntegrityError, pymysql.err.OperationalError,
                pymysql.err.InternalError, pymysql.err.InterfaceError, OSError) as error:
            self._recover(error)

    def _recover(self, error):
        """A deadlock or a duplicate key ends the transaction; a lost server is met again."""
        if isinstance(error, pymysql.err.IntegrityError) or error.args[0] in (1205, 1213):
            self._connection.rollback()
        elif isinstance(error, (pymysql.err.InterfaceError, OSError)) or error.args[0] in LOST:
            self.close()
            pause(0.05)
        else:
            raise error

    def close(self):
        if self._connection is not None:
            with contextlib.suppress(pymysql.err.Error, OSError):
                self._connection.close()
            self._connection = None


class Workload:
    """Writers in threads of their own, each with its own seed. A context manager that stops them;
    an error of a writer is raised there."""

    def __init__(self, source, seed, writers=2, per_second=150, writer_class=Writer):
        self._stopped = threading.Event()
        self._wait = writers / per_second
        self._errors = []
        self.writers = [writer_class(source, f"{seed}/{number}") for number in range(writers)]
        self._threads = [threading.Thread(target=self._run, args=(writer,), daemon=True)
                         for writer in self.writers]

    def _run(self, writer):
        try:
            while not self._stopped.wait(self._wait):
                writer.step()
        except Exception as error:  # pylint: disable=broad-except
            self._errors.append(error)
        finally:
            writer.close()

    @property
    def transactions(self):
        return sum(writer.transactions for writer in self.writers)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]


class Repeated:
    """One statement again and again, in a thread of its own. A context manager that stops it; its
    error is raised there."""

    def __init__(self, source, statement):
        self._source = source
        self._statement = statement
        self._stopped = threading.Event()
        self._error = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.done = 0

    def _run(self):
        try:
            with contextlib.closing(self._source.connect()) as link, link.cursor() as cursor:
                while not self._stopped.wait(0.005):
                    cursor.execute(self._statement)
                    self.done += 1
        except pymysql.err.Error as error:
            self._error = error

    def await_more(self, times=20):
        before = self.done
        wait_until(lambda: self._error or self.done > before + times, f"{self._statement} again")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()
        if self._error:
            raise self._error
