"""Who she is: one YAML file a character, and how it becomes a prompt."""

from kitsu.characters.character import Character, load_character
from kitsu.characters.prompt import quote_line, system_prompt

__all__ = ["Character", "load_character", "quote_line", "system_prompt"]
