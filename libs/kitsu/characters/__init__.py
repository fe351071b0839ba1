"""Who she is: one YAML file a character, and how it becomes a prompt."""

from kitsu.characters.character import Character, load_character
from kitsu.characters.prompt import careful_line, prompt_parts, quote_line, system_prompt

__all__ = ["Character", "careful_line", "load_character", "prompt_parts", "quote_line", "system_prompt"]
