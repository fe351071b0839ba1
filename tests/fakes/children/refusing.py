"""A setting is wrong: exit code 3."""

import json
import sys

sys.stderr.write(json.dumps({"level": "ERROR", "event": "process.failed", "message": "policy.engine = 'x'"}) + "\n")
sys.exit(3)
