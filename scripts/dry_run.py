"""A rehearsal without an audience: a whole show on a real OBS, a fake Twitch and a fake VTube Studio, and a busy chat.

Everything is started in a temporary folder, with free ports; a show that runs already, its settings and its OBS are not
touched. The table says for everything that somebody did what happened, and who bears it out. Ends with 1 when something
went otherwise than expected, or could not be tried.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.script import exit_code, machine, progress
from rehearsal.acts import PLAY
from rehearsal.playing import rehearse
from rehearsal.rows import Row, report, table, unexpected
from rehearsal.stage import stage


async def play(*, with_obs: bool) -> list[Row]:
    """The whole script.

    Raises:
        BenchError: something did not even start.
    """
    with tempfile.TemporaryDirectory(prefix="kitsu-dry-run-") as folder:
        progress("starting OBS, Twitch, VTube Studio and the show …" if with_obs else "starting, without OBS …")
        async with stage(Path(folder), with_obs=with_obs) as show:
            return await rehearse(show, PLAY, _tell)


def _tell(row: Row) -> None:
    progress(f"{'ok' if row.expected else 'UNEXPECTED':10}  {row.who}: {row.what}  {row.ms:.0f} ms")


def print_all(rows: Sequence[Row], began: float, *, as_json: bool) -> None:
    """Table, verdict, and one JSON object if wanted."""
    print(table(rows))
    wrong = unexpected(rows)
    print(f"\n{len(rows) - len(wrong)} of {len(rows)} as expected.")
    if as_json:
        print(json.dumps(report(rows) | {"seconds": round(time.monotonic() - began, 1)} | machine()))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--json", action="store_true", help="end with one JSON object: rows, as_expected, unexpected")
    parser.add_argument("--without-obs", action="store_true", help="where no OBS can run without a screen")
    arguments = parser.parse_args()
    rows: list[Row] = []

    async def work() -> None:
        began = time.monotonic()
        rows.extend(await play(with_obs=not arguments.without_obs))
        print_all(rows, began, as_json=arguments.json)

    return exit_code(work()) or int(bool(unexpected(rows)))


if __name__ == "__main__":
    sys.exit(main())
