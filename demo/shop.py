"""The demo's shop: five tables with every common type, half a million rows, and people who keep
buying, changing their minds and leaving."""

import contextlib
import random
import threading

DATABASE = "shop"
TABLES = {
    "customers": """
        id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL,
        email VARCHAR(150) NOT NULL, country CHAR(2) NOT NULL, birthday DATE NULL,
        is_vip TINYINT(1) NOT NULL DEFAULT 0, credit DECIMAL(12,2) NOT NULL DEFAULT 0,
        newsletter SET('weekly','offers','events') NOT NULL DEFAULT '', settings JSON NULL,
        created_at DATETIME(6) NOT NULL""",
    "products": """
        id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, sku BINARY(8) NOT NULL,
        title VARCHAR(200) NOT NULL, description TEXT NULL, price DECIMAL(10,2) NOT NULL,
        weight_kg FLOAT NULL, stock MEDIUMINT NOT NULL, category ENUM('books','games','music','tools')
        NOT NULL, introduced YEAR NULL, flags BIT(4) NOT NULL, thumbnail BLOB NULL""",
    "orders": """
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id INT UNSIGNED NOT NULL,
        status ENUM('new','paid','shipped','delivered','returned') NOT NULL,
        total DECIMAL(12,2) NOT NULL, ordered_at TIMESTAMP(3) NOT NULL, ship_by DATE NULL,
        note VARCHAR(255) NULL""",
    "order_items": """
        order_id BIGINT UNSIGNED NOT NULL, line TINYINT UNSIGNED NOT NULL,
        product_id SMALLINT UNSIGNED NOT NULL, quantity SMALLINT NOT NULL,
        price DECIMAL(10,2) NOT NULL, discount DOUBLE NULL, PRIMARY KEY (order_id, line)""",
    "events": """
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id INT UNSIGNED NULL,
        kind VARCHAR(20) NOT NULL, payload JSON NOT NULL, took TIME(3) NULL, at DATETIME(3) NOT NULL""",
}
CUSTOMERS, PRODUCTS, ORDERS, EVENTS = 40_000, 2_000, 120_000, 80_000

# `n` counts from 1; h is a number that looks random and is the same on every server.
FILL = [
    ("customers", CUSTOMERS, """
        n, CONCAT(ELT(1 + h % 8, 'Ada', 'Grace', 'Linus', 'Ken', 'Barbara', 'Edsger', 'Radia', 'Zoë'),
        ' ', ELT(1 + h DIV 8 % 7, 'Lovelace', 'Hopper', 'Ritchie', 'Liskov', 'Núñez', '山田', 'Ωmega')),
        CONCAT('customer', n, '@example.com'), ELT(1 + h % 5, 'CH', 'DE', 'FR', 'JP', 'US'),
        IF(h % 9 = 0, NULL, DATE('1940-01-01') + INTERVAL h % 25000 DAY), h % 50 = 0,
        (h % 100000) / 100, ELT(1 + h % 4, '', 'weekly', 'weekly,offers', 'offers,events'),
        IF(h % 6 = 0, NULL, JSON_OBJECT('theme', ELT(1 + h % 2, 'dark', 'light'), 'visits', h % 1000)),
        TIMESTAMP('2020-01-01') + INTERVAL h % 150000000 SECOND + INTERVAL h MICROSECOND"""),
    ("products", PRODUCTS, """
        n, LEFT(UNHEX(SHA2(n, 256)), 8), CONCAT('Product ', n), IF(h % 10 = 0, NULL, REPEAT('Fine thing. ',
        1 + h % 20)), (100 + h % 20000) / 100, IF(h % 7 = 0, NULL, (h % 5000) / 1000), h % 5000,
        1 + h % 4, 1990 + h % 36, h % 16, IF(h % 5 = 0, NULL, UNHEX(SHA2(n, 256)))"""),
    ("orders", ORDERS, f"""
        n, 1 + h % {CUSTOMERS}, 1 + h DIV 7 % 5, (500 + h % 50000) / 100,
        TIMESTAMP('2024-01-01') + INTERVAL h % 60000000 SECOND + INTERVAL h % 1000 * 1000 MICROSECOND,
        IF(h % 3 = 0, NULL, DATE('2024-01-01') + INTERVAL h % 700 DAY),
        IF(h % 4, NULL, 'please ring twice')"""),
    ("order_items", ORDERS, f"n, 1, 1 + h % {PRODUCTS}, 1 + h % 5, (100 + h % 9000) / 100, "
                            "IF(h % 4, NULL, (h % 300) / 1000)"),
    ("order_items", ORDERS, f"n, 2, 1 + h DIV 3 % {PRODUCTS}, 1 + h % 4, (100 + h % 8000) / 100, NULL"),
    ("events", EVENTS, f"""
        n, IF(h % 5 = 0, NULL, 1 + h % {CUSTOMERS}), ELT(1 + h % 4, 'view', 'search', 'cart', 'login'),
        JSON_OBJECT('page', CONCAT('/p/', h % {PRODUCTS}), 'ms', h % 900, 'tags', JSON_ARRAY('a', h % 3)),
        IF(h % 3 = 0, NULL, SEC_TO_TIME((h % 900000) / 1000)),
        TIMESTAMP('2025-01-01') + INTERVAL h % 20000000 SECOND"""),
]


def fill(source):
    """Makes the shop; a few seconds. The rows do not go to the binary log: they come by snapshot."""
    source.run(
        "SET sql_log_bin = 0", "SET sql_mode = ''", f"CREATE DATABASE {DATABASE}",
        f"USE {DATABASE}", *(f"CREATE TABLE {name} ({columns})" for name, columns in TABLES.items()),
        "CREATE TABLE numbers (n INT PRIMARY KEY)", "INSERT INTO numbers VALUES (1)",
        *(f"INSERT INTO numbers SELECT n + {1 << power} FROM numbers" for power in range(17)),
        *(f"INSERT INTO {table} SELECT {columns} FROM (SELECT n, CRC32(n * 7919) AS h FROM numbers "
          f"WHERE n <= {rows}) AS source" for table, rows, columns in FILL),
        "DROP TABLE numbers")


class Customers:
    """Changes the shop in a thread until stopped. A context manager."""

    def __init__(self, source, per_second=100):
        self._source = source
        self._wait = 1 / per_second
        self._random = random.Random()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.transactions = 0
        self.error = None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self):
        actions = [(self._buy, 5), (self._move_on, 5), (self._browse, 6), (self._change_mind, 2),
                   (self._reprice, 1), (self._tidy_up, 1)]
        choices, weights = zip(*actions)
        try:
            with contextlib.closing(self._source.connect(database=DATABASE, autocommit=False)
                                    ) as connection:
                while not self._stopped.wait(self._wait):
                    with connection.cursor() as cursor:
                        self._random.choices(choices, weights)[0](cursor)
                    connection.commit()
                    self.transactions += 1
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def _some(self, rows):
        return self._random.randrange(1, rows + 1)

    def _buy(self, cursor):
        cursor.execute("INSERT INTO orders (customer_id, status, total, ordered_at, note) VALUES "
                       "(%s, 'new', %s, NOW(3), %s)",
                       (self._some(CUSTOMERS), f"{self._random.uniform(5, 500):.2f}",
                        self._random.choice([None, "a gift 🎁"])))
        order = cursor.lastrowid
        for line in range(1, self._random.randrange(2, 6)):
            cursor.execute("INSERT INTO order_items VALUES (%s, %s, %s, 1, 9.90, %s)",
                           (order, line, self._some(PRODUCTS), self._random.random()))
            cursor.execute("UPDATE products SET stock = stock - 1 WHERE id = %s",
                           (self._some(PRODUCTS),))

    def _move_on(self, cursor):
        cursor.execute("UPDATE orders SET status = %s, ship_by = CURDATE() + INTERVAL 3 DAY "
                       "WHERE id = %s", (self._random.choice(["paid", "shipped", "delivered"]),
                                         self._some(ORDERS)))

    def _browse(self, cursor):
        cursor.execute("INSERT INTO events (customer_id, kind, payload, took, at) VALUES "
                       "(%s, 'view', %s, SEC_TO_TIME(%s), NOW(3))",
                       (self._some(CUSTOMERS), f'{{"page": "/p/{self._some(PRODUCTS)}"}}',
                        round(self._random.uniform(0, 60), 3)))

    def _change_mind(self, cursor):
        order = self._some(ORDERS)
        cursor.execute("DELETE FROM order_items WHERE order_id = %s", (order,))
        cursor.execute("DELETE FROM orders WHERE id = %s", (order,))

    def _reprice(self, cursor):
        cursor.execute("UPDATE products SET price = price * 1.01 WHERE category = %s LIMIT 20",
                       (self._random.choice(["books", "games", "music", "tools"]),))

    def _tidy_up(self, cursor):
        first = self._some(EVENTS)
        cursor.execute("DELETE FROM events WHERE id BETWEEN %s AND %s", (first, first + 5))
        cursor.execute("UPDATE customers SET email = CONCAT('new', id, '@example.com'), "
                       "is_vip = 1 WHERE id = %s", (self._some(CUSTOMERS),))
