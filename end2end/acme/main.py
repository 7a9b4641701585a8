"""Runs every client's scenario and prints what was seen."""

import concurrent.futures
import datetime
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
from scenario import BEFORE_THE_WINDOW, IN_THE_WINDOW, NOW, THEN, Play, lacks

# The portal's clock at first: certificates of 40 days are in their renewal window 30 days later.
AGO = datetime.timedelta(days=-30)
# How long the clients may take to be seen before the plans' window.
AHEAD = datetime.timedelta(hours=1)


def missing(kinds: list) -> list:
    """Kinds of clients that are not all there."""
    return [kind for kind in kinds if not all(shutil.which(program) for program in kind.programs)]


class Tally:
    """Counts and prints."""

    def __init__(self):
        self.passed = self.failed = 0

    def steps(self, play: Play, steps: list) -> bool:
        """Runs the steps that the client can do, in order; behind the first that fails none can be told."""
        for step in steps:
            if ability := lacks(play.client, step):
                print(f"no {ability} {play.client.name}: {step.__doc__}", flush=True)
        steps = able(play, steps)
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


def able(play: Play, steps: list) -> list:
    return [step for step in steps if not lacks(play.client, step)]


def together(tally: Tally, plays: list[Play], steps: list) -> list[Play]:
    """All clients at once; those that came through."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(len(plays), 1)) as pool:
        through = pool.map(lambda play: tally.steps(play, steps), plays)
        return [play for play, good in zip(plays, list(through), strict=True) if good]


class Story:
    """The clients' plays, time after time; a client that failed is not asked again, and its later steps have failed."""

    def __init__(self, tally: Tally, plays: list[Play]):
        self.tally, self.plays, self.through = tally, plays, plays

    def go_on(self, steps: list) -> None:
        self.tally.failed += sum(len(able(play, steps)) for play in self.plays if play not in self.through)
        self.through = together(self.tally, self.through, steps)


def run(folder: pathlib.Path, kinds: list) -> Tally:
    tally, net = Tally(), Net(folder)
    portal = Portal(folder, net.portal_settings())
    try:
        portal.start(AGO)
        portal.command("settings", "set", "approval_step", "skip")
        site = clients.Site(folder, net, portal.root)
        story = Story(tally, [Play(portal, kind(site)) for kind in kinds])
        story.go_on(THEN)
        portal.restart()
        story.go_on(NOW)
        windows = [play.kept["window"] for play in story.through]
        if windows:
            portal.restart(min(windows) - AHEAD)
        story.go_on(BEFORE_THE_WINDOW)
        if windows:
            portal.restart(max(windows))
        story.go_on(IN_THE_WINDOW)
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
        print(f"missing: {kind.name} ({', '.join(kind.programs)}); \"make interop\" installs and builds all clients")
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
