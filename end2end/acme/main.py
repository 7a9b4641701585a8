"""Runs every client's scenario and prints what was seen."""

import concurrent.futures
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

import clients
import servers
from net import Net
from portal import BINARY, Portal
from scenario import Play, steps_now, steps_then

# The portal's clock at first: certificates of 40 days are in their renewal window 30 days later.
THEN = "-30d"


def missing(kinds: list) -> list:
    """Kinds of clients whose program is not installed."""
    programs = {kind: [kind.program] + (["acme-tiny"] if kind is clients.Dehydrated else []) for kind in kinds}
    return [kind for kind, needed in programs.items() if not all(shutil.which(one) for one in needed)]


class Tally:
    """Counts and prints."""

    def __init__(self):
        self.passed = self.failed = 0

    def steps(self, play: Play, steps: list) -> bool:
        """Runs a client's steps in order; behind the first that fails none can be told."""
        for at, step in enumerate(steps):
            begun = time.monotonic()
            try:
                step(play)
            except Exception:
                self.failed += len(steps) - at
                print(f"FAILED {play.client.name}: {step.__doc__}\n{traceback.format_exc(limit=-2)}", flush=True)
                for left in steps[at + 1 :]:
                    print(f"not reached {play.client.name}: {left.__doc__}", flush=True)
                return False
            self.passed += 1
            print(f"ok {play.client.name}: {step.__doc__} ({time.monotonic() - begun:.1f} s)", flush=True)
        return True


def together(tally: Tally, plays: list[Play], steps_of) -> list[Play]:
    """All clients at once; those that came through."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=len(plays)) as pool:
        through = pool.map(lambda play: tally.steps(play, steps_of(play.client)), plays)
        return [play for play, good in zip(plays, list(through), strict=True) if good]


def run(folder: pathlib.Path, kinds: list) -> Tally:
    tally, net = Tally(), Net(folder)
    portal = Portal(folder, net.portal_settings())
    try:
        portal.start(THEN)
        portal.command("settings", "set", "approval_step", "skip")
        site = clients.Site(folder, net, portal.root)
        plays = [Play(portal, kind(site)) for kind in kinds]
        through = together(tally, plays, steps_then)
        portal.restart()
        together(tally, [play for play in through if steps_now(play.client)], steps_now)
        tally.failed += sum(len(steps_now(play.client)) for play in plays if play not in through)
    finally:
        portal.stop()
        net.stop()
    return tally


def main() -> int:
    kinds = [*clients.ALL, *servers.ALL]
    if len(sys.argv) > 1:
        kinds = [kind for kind in kinds if kind.name in sys.argv[1:]]
    absent = missing(kinds)
    for kind in absent:
        print(f"missing: {kind.name} is not installed; .ci/install test installs all clients")
    if absent and os.environ.get("CI"):
        print("0 passed, 1 failed")
        return 1
    kinds = [kind for kind in kinds if kind not in absent]
    if not pathlib.Path(BINARY).exists():
        print(f"There is no {BINARY}. Build it with \"cargo build -p certdeck\", or name one in CERTDECK_BIN.")
        return 2
    folder = pathlib.Path(tempfile.mkdtemp(prefix="certdeck-acme-"))
    folder.chmod(0o755)
    tally = run(folder, kinds)
    if tally.failed:
        print(f"What the clients and the portal said is in {folder}")
    else:
        shutil.rmtree(folder)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
