"""A launcher over test children: `python -m tests.fakes.launch NAME… -- ARGUMENTS`.

A name is one of tests/fakes/children; `playout=healthy` runs the child `healthy` under the name `playout`.
"""

import sys
from collections.abc import Iterable

from kitsu.services import Service
from kitsu_launcher.__main__ import main


def table(names: Iterable[str]) -> dict[str, Service]:
    """A services table of test children."""
    pairs = [(name.partition("=")[0], name.rpartition("=")[2]) for name in names]
    return {name: Service(name, f"tests.fakes.children.{child}", None, "test", "nothing") for name, child in pairs}


if __name__ == "__main__":
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    sys.exit(main(sys.argv[split + 1 :], table(sys.argv[1:split])))
