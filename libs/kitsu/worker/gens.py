"""The generations of all conversations, as a worker has heard of them."""

from collections.abc import Mapping


class Generations:
    """While the hub is there they only rise; a new hub's word replaces them."""

    def __init__(self) -> None:
        self._gens: dict[str, int] = {}

    def begin(self, gens: Mapping[str, int]) -> None:
        """What the hub says at hello."""
        self._gens = dict(gens)

    def raise_to(self, gens: Mapping[str, int]) -> None:
        """Newer ones have begun."""
        for conv, gen in gens.items():
            self._gens[conv] = max(gen, self._gens.get(conv, 0))

    def is_stale(self, conv: str, gen: int) -> bool:
        """Whether a request is older than its conversation's generation."""
        return gen < self._gens.get(conv, 0)
