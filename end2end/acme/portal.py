"""A portal of its own: the real binary with its demonstration, on ports that the system chooses."""

import contextlib
import datetime
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import threading
from dataclasses import dataclass

# How long a portal may take to start or to stop on a busy machine, in seconds.
PATIENCE = 60
ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("CERTDECK_BIN", str(ROOT / "target" / "debug" / "certdeck"))


@dataclass(frozen=True)
class Url:
    """An ACME Directory URL with its credential."""

    directory: str
    kid: str
    key: str

    def asking(self, action: str, order: int) -> "Url":
        """The same with an action in the query."""
        return Url(f"{self.directory}?action={action}&orderId={order}", self.kid, self.key)

    def alias(self, action: str, order: int) -> "Url":
        """The same with the action in the path."""
        return Url(f"{self.directory}/{action}/{order}", self.kid, self.key)


class Portal:
    """Runs `certdeck serve --demo`; its clock moves by starting it again."""

    def __init__(self, folder: pathlib.Path, settings: dict[str, str]):
        self.folder = folder / "portal"
        self.folder.mkdir()
        self.log = folder / "portal.log"
        self.settings = settings
        self.addresses = ("127.0.0.1:0", "127.0.0.1:0")
        self.child: subprocess.Popen | None = None
        self.root = folder / "root.pem"
        self.ahead = datetime.timedelta()

    def now(self) -> datetime.datetime:
        """The portal's time."""
        return datetime.datetime.now(datetime.UTC) + self.ahead

    def start(self, clock: datetime.timedelta | datetime.datetime | None = None) -> None:
        """Its clock is ahead by a time, or begins at one; without, it is the real one."""
        environment = self._environment() | self.settings
        environment["CERTDECK_LISTEN"], environment["CERTDECK_TLS_LISTEN"] = self.addresses
        self.ahead = clock or datetime.timedelta()
        if isinstance(clock, datetime.datetime):
            environment["CERTDECK_CLOCK"] = clock.strftime("%Y-%m-%dT%H:%M:%SZ")
            # It begins when the process reads it: not before now.
            self.ahead = clock - datetime.datetime.now(datetime.UTC)
        elif clock:
            environment["CERTDECK_CLOCK"] = f"{clock.days:+d}d"
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [BINARY, "serve", "--demo"], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        found: dict[str, str] = {}
        watchdog = threading.Timer(PATIENCE, self.child.kill)
        watchdog.start()
        for line in self.child.stdout:
            if match := re.match(r"listening on (https?)://(\S+)", line):
                found[match[1]] = match[2]
            if len(found) == 2:
                break
        watchdog.cancel()
        if len(found) < 2:
            raise RuntimeError(f"the portal did not start:\n{self.log.read_text()[-2000:]}")
        # Its pipe must not fill up.
        threading.Thread(target=self.child.stdout.read, daemon=True).start()
        self.addresses = (found["http"], found["https"])
        self.root.write_text(self.command("ca", "export-root"))

    def stop(self) -> None:
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.child.kill()

    def restart(self, clock: datetime.datetime | None = None) -> None:
        self.stop()
        self.start(clock)

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [BINARY, *arguments], env=self._environment(), capture_output=True, text=True, timeout=PATIENCE
        )
        if done.returncode != 0:
            raise RuntimeError(f"certdeck {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def acme_url(self, name: str, product: str, *more: str) -> Url:
        words = ["acme-url", "create", "--name", name, "--product", product]
        made = json.loads(self.command(*words, "--organization", "Example Corp", *more, "--json"))
        return Url(made["directory_url"], made["eab_kid"], made["eab_hmac_key"])

    def order(self, number: int) -> dict:
        return json.loads(self.command("order", "show", str(number), "--json"))

    def orders(self, common_name: str) -> list[dict]:
        """The orders with a common name, oldest first."""
        listed = json.loads(self.command("order", "list", "--json"))
        found = [order for order in listed if order["common_name"] == common_name]
        return sorted(found, key=lambda order: (order["ordered_at"], order["number"]))

    def accounts(self, url: Url) -> int:
        """How many accounts were bound with the credential of an ACME Directory URL."""
        return self._rows("SELECT COUNT(*) FROM acme_accounts WHERE kid = ?", url.kid)[0][0]

    def validated_by(self, name: str) -> list[str]:
        """The challenges by which control of a name was shown."""
        rows = self._rows(
            "SELECT c.kind FROM acme_challenges c JOIN acme_authorizations a ON a.id = c.authorization_id "
            "WHERE a.identifier_value = ? AND c.status = 'valid'",
            name,
        )
        return [kind for (kind,) in rows]

    def replaced_by(self, number: int) -> int | None:
        """The order whose certificate the first request of an order said that it replaces."""
        rows = self._rows("SELECT explanation FROM acme_orders WHERE order_number = ? ORDER BY id", number)
        found = json.loads(rows[0][0])["candidates"]
        return next((one["order"] for one in found if one["kept"] and one["rule"] == "A3"), None)

    def _rows(self, query: str, *values: object) -> list[tuple]:
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/certdeck.sqlite?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    def _environment(self) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("CERTDECK_")}
        return own | {"CERTDECK_DATA_DIR": str(self.folder)}
