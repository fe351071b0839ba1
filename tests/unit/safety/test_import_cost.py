import subprocess
import sys
import time

from kitsu.safety import load_rules
from tests.unit.safety.conftest import RULES

HEAVY = ("asyncio", "httpx", "pydantic", "fastapi", "starlette", "sqlalchemy", "numpy", "kitsu.config", "websockets")


def test_the_gate_is_light_to_import() -> None:
    code = f"import kitsu.safety, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_rules_are_quick_to_load() -> None:
    times = []
    for _ in range(3):
        begin = time.process_time()
        load_rules(RULES, family_mode=True)
        times.append((time.process_time() - begin) * 1000)
    assert min(times) < 800  # 200 ms alone on this machine; most of it is RE2 reading 2,000 terms
