import sys

from kitsu.home import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "scripts"))  # `rehearsal` is imported as scripts/dry_run.py imports it
