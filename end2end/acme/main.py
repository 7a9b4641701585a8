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
from scenario import Play, steps_before_the_window, steps_in_the_window, steps_now, steps_then

# The portal's clock at first: certificates of 40 days are in their renewal window 30 days later.
THEN = datetime.timedelta(days=-30)
# How long the clients may take to be seen before the plans' window.
BEFORE = datetime.timedelta(hours=1)


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
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(len(plays), 1)) as pool:
        through = pool.map(lambda play: tally.steps(play, steps_of(play.client)), plays)
        return [play for play, good in zip(plays, list(through), strict=True) if good]


class Story:
    """The clients' plays, time after time; a client that failed is not asked again, and its later steps have failed."""

    def __init__(self, tally: Tally, plays: list[Play]):
        self.tally, self.plays, self.through = tally, plays, plays

    def go_on(self, steps_of) -> None:
        self.tally.failed += sum(len(steps_of(play.client)) for play in self.plays if play not in self.through)
        asked = [play for play in self.through if steps_of(play.client)]
        self.through = together(self.tally, asked, steps_of)


def run(folder: pathlib.Path, kinds: list) -> Tally:
    tally, net = Tally(), Net(folder)
    portal = Portal(folder, net.portal_settings())
    try:
        portal.start(THEN)
        portal.command("settings", "set", "approval_step", "skip")
        site = clients.Site(folder, net, portal.root)
        story = Story(tally, [Play(portal, kind(site)) for kind in kinds])
        story.go_on(steps_then)
        portal.restart()
        story.go_on(steps_now)
        windows = [play.kept["window"] for play in story.through]
        if windows:
            portal.restart(min(windows) - BEFORE)
            story.go_on(steps_before_the_window)
            portal.restart(max(windows))
        else:
            story.go_on(steps_before_the_window)
        story.go_on(steps_in_the_window)
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
