"""How fast the mock engines are, and the limits that follow: no toolkit can be faster than its engines."""

from dataclasses import dataclass

from bench.replies import first_clause_tokens, first_sentence_tokens


@dataclass(frozen=True, slots=True)
class Speeds:
    """All in ms but `realtime_factor`: seconds of sound made in one second."""

    first_token_ms: float = 150.0
    token_ms: float = 25.0
    first_sound_ms: float = 80.0
    char_ms: float = 60.0
    realtime_factor: float = 10.0

    def limit_ms(self, tokens: int) -> float:
        """Text in -> first sound, if nothing but the engines took time and the voice began at token `tokens`."""
        return self.first_token_ms + (tokens - 1) * self.token_ms + self.first_sound_ms

    def clause_limit_ms(self, reply: str) -> float:
        """The limit of whoever waits for the first clause (a mark, or four words)."""
        return self.limit_ms(first_clause_tokens(reply))

    def sentence_limit_ms(self, reply: str) -> float:
        """The limit of whoever waits for the first sentence."""
        return self.limit_ms(first_sentence_tokens(reply))
