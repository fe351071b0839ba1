import sys

from kitsu.home import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "scripts"))  # `bench` is imported as the scripts beside it import it
