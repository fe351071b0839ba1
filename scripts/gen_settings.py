"""Writes configs/kitsu.yaml and .env.example from the settings' structs: every key, its default, what it may be."""

import inspect
import json
import re
import sys
from typing import Any

import generated
from kitsu.config import section_type
from kitsu.config.fields import allowed, is_secret
from kitsu.services import SECTIONS
from structs import Field, fields

YAML_HEAD = """\
# Settings of the show: every key, with its default.
#
# A value here is overruled by `.env`, and that by the environment (KITSU__TTS__ENGINE=openai). Secrets belong into
# `.env`, never here. A file configs/kitsu.yaml in your own KITSU_HOME is read instead of this one and may hold only
# what you change. A wrong value stops the start and says which line it is.
# `python scripts/gen_settings.py` writes this file and .env.example anew.
"""

ENV_HEAD = """\
# Copy this file to `.env` and take the `# ` off what you want to change. `.env` overrules configs/kitsu.yaml; the
# environment overrules `.env`. Every line shows the default.

# Everything that Kitsu writes (data, secrets, artifacts, logs) lies in this folder; default: the checkout. Only from
# the environment, since `.env` itself is looked for there.
# KITSU_HOME=
# Logs alone somewhere else. Only from the environment.
# KITSU_LOG_ROOT=
# Another folder of seeds (kitsu.yaml, characters, safety). Only from the environment.
# KITSU_CONFIGS=
"""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


def outputs() -> dict[str, str]:
    """Both files."""
    return {
        "configs/kitsu.yaml": YAML_HEAD + "".join(map(_yaml_section, SECTIONS)),
        ".env.example": ENV_HEAD + "".join(map(_env_section, SECTIONS)),
    }


def _yaml_section(name: str) -> str:
    struct = section_type(name)
    lines = [f"\n# {inspect.cleandoc(struct.__doc__ or '')}\n{name}:\n"]
    for field in fields(struct):
        if is_secret(field.name):
            lines.append(f"  # {field.name}: set KITSU__{name.upper()}__{field.name.upper()} in .env\n")
        else:
            lines.append(f"  {field.name}: {_yaml(field.default)}  # {_about(field)}\n")
    return "".join(lines)


def _env_section(name: str) -> str:
    struct = section_type(name)
    lines = [f"\n# {inspect.cleandoc(struct.__doc__ or '')}\n"]
    for field in fields(struct):
        variable = f"KITSU__{name.upper()}__{field.name.upper()}"
        lines.append(f"# {variable}={_env(field.default)}\n")
    return "".join(lines)


def _about(field: Field) -> str:
    return "; ".join(filter(None, (allowed(field.type), field.comment)))


def _yaml(value: Any) -> str:
    if isinstance(value, str):
        bare = _PLAIN.fullmatch(value) and value.lower() not in {"yes", "no", "on", "off", "true", "false", "null"}
        return value if bare else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _env(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    sys.exit(generated.main(__doc__, outputs))
