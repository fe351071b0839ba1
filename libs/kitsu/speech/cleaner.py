"""From raw model text to what can be spoken: a stream that may be split anywhere."""

import re

from kitsu.speech.speakable import MAX_MARKS, PLAIN, is_mark, spoken_form
from kitsu.speech.tags import Tag, TagParser
from kitsu.speech.wordlists import NOT_ACTIONS

Pieces = list[str | Tag]
Step = tuple[int, Pieces]  # where to go on, and what was let through

_THOUGHTS = "think|thinking|thoughts?|reasoning|reflection|scratchpad"
_THOUGHT = re.compile(rf"<(/?)(?:{_THOUGHTS})(?:\s[^<>]{{0,40}})?>", re.IGNORECASE)
_THOUGHT_BEGUN = re.compile(r"<[^<>]{0,64}\Z")
_FENCE = re.compile(r"```")
_FENCE_BEGUN = re.compile(r"`{1,2}\Z")
_MARKUP = re.compile(r"<(?:[a-zA-Z/!|][^<>\n]{0,64}>|3+)")
_MARKUP_BEGUN = re.compile(r"<(?:[a-zA-Z/!|][^<>\n]{0,64})?\Z")
_LINE_BREAK = re.compile(r"</?(?:br|p|li|div|hr|h[1-6])\b", re.IGNORECASE)
_TAG = re.compile(r"\[([^\[\]\n]{0,64})\]")
_TAG_BEGUN = re.compile(r"\[([^\[\]\n]{0,64})\Z")
_LINK = re.compile(r"\([^()\s]{0,300}\)")
_LINK_BEGUN = re.compile(r"(?:\([^()\s]{0,300})?\Z")
_ACTION = re.compile(r"\*([^*\n]{1,120})\*")
_ACTION_BEGUN = re.compile(r"\*([^*\n]{0,120})\Z")

_EMPHASIS = re.compile(r"[^\W\d_]+(?:['’][a-z]+)?")


class Cleaner:
    """Drops what is not speech; finds stage directions.

    Dropped: thinking blocks, fenced code, markup, markdown signs, `*actions*`, link targets, pictures, characters that
    cannot be seen. A single emphasised word inside a sentence ("I *love* it") stays. What cannot be decided yet is
    held, never more than a few hundred code points; a block's content is dropped as it comes, also if nobody closes it.
    """

    def __init__(self, tags: TagParser) -> None:
        self._tags = tags
        self._held = ""
        self._thoughts = 0  # open thinking blocks
        self._fenced = False
        self._last = "\n"  # the last character that was let through
        self._marks = 0  # combining marks since the last letter

    def feed(self, delta: str, *, final: bool = False) -> Pieces:
        """What can be said now. `final`: nothing follows, so whatever is held is decided."""
        text = self._held + delta
        out: Pieces = []
        at = 0
        while at < len(text):
            plain = None if self._thoughts or self._fenced else PLAIN.match(text, at)
            if plain:
                out.append(self._let(plain[0]))
                at = plain.end()
                continue
            step = self._step(text, at, final)
            if step is None:
                break
            at = step[0]
            out += step[1]
        self._held = "" if final else text[at:]
        return out

    def _let(self, text: str) -> str:
        self._last = text[-1]
        self._marks = 0
        return text

    def _gap(self) -> Pieces:
        """A space where something was dropped, unless that would take a word apart."""
        return [] if self._last.isalnum() or self._last.isspace() else [self._let(" ")]

    def _step(self, text: str, at: int, final: bool) -> Step | None:
        """Deal with what stands at `at`; None while that is undecided."""
        if self._thoughts or self._fenced:
            return self._in_block(text, at)
        match text[at]:
            case "[":
                return self._bracket(text, at, final)
            case "*":
                return self._asterisk(text, at, final)
            case "<":
                return self._angle(text, at, final)
            case "`":
                return self._backtick(text, at, final)
            case "_":
                return self._underscore(text, at, final)
            case "]" | "~" | "\\" | "\r":
                return at + 1, []
            case "|":
                return at + 1, [self._let(" ")]
            case char:
                return at + 1, self._char(char)

    def _char(self, char: str) -> Pieces:
        form = spoken_form(char)
        if form is None:
            return self._gap()
        if not form:
            return []
        if is_mark(form):
            self._marks += 1
            return [form] if self._marks <= MAX_MARKS and self._last.isalpha() else []
        return [self._let(form)]

    def _in_block(self, text: str, at: int) -> Step | None:
        """Skip to the block's next edge, or as far as it surely has none."""
        edge = (_THOUGHT if self._thoughts else _FENCE).search(text, at)
        if edge:
            if self._thoughts:
                self._thoughts += -1 if edge[1] else 1
            else:
                self._fenced = False
            return edge.end(), []
        begun = (_THOUGHT_BEGUN if self._thoughts else _FENCE_BEGUN).search(text, at)
        if begun is None:
            return len(text), []
        return None if begun.start() == at else (begun.start(), [])

    def _bracket(self, text: str, at: int, final: bool) -> Step | None:
        tag = _TAG.match(text, at)
        if tag is None:
            begun = _TAG_BEGUN.match(text, at)
            if begun and final:
                self._tags.count(begun[1].strip().lower())
                return len(text), []
            return None if begun else (at + 1, [])
        if not self._tags.knows(tag[1]):
            link = _LINK.match(text, tag.end())
            if link:
                return link.end(), self._words(tag[1])
            if not final and _LINK_BEGUN.match(text, tag.end()):
                return None
        gap = self._gap()
        return tag.end(), [*gap, *self._tags.parse(tag[1])]

    def _asterisk(self, text: str, at: int, final: bool) -> Step | None:
        follows = text[at + 1 : at + 2]
        if not follows and not final:
            return None
        if follows == "*":
            return at + 2, []
        if not follows or follows.isspace():
            return at + 1, []
        if self._last.isalnum() and follows.isalnum():  # "2*3"; and a masked word must reach the gate as it is
            return at + 1, [self._let("*")]
        action = _ACTION.match(text, at)
        if action is None:
            begun = _ACTION_BEGUN.match(text, at)
            if begun is None:
                return at + 1, []
            if not final:
                return None
            action = begun
        return action.end(), self._words(action[1]) if self._is_emphasis(action[1]) else self._gap()

    def _is_emphasis(self, content: str) -> bool:
        """Whether words between asterisks are to be spoken: "I *love* it" is, "*giggles*" is not."""
        inside = self._last in " ,;'’" and _EMPHASIS.fullmatch(content) is not None
        word = content.lower()
        return inside and (word in NOT_ACTIONS or not word.endswith(("s", "ing")))

    def _words(self, content: str) -> Pieces:
        """Text from within a sign, without any signs of its own."""
        out: Pieces = []
        for char in content:
            out += self._char(char) if char not in "*<`_~\\|" else []
        return out

    def _angle(self, text: str, at: int, final: bool) -> Step | None:
        thought = _THOUGHT.match(text, at)
        if thought:
            self._thoughts = 0 if thought[1] else 1
            return thought.end(), self._gap()
        markup = _MARKUP.match(text, at)
        if markup:
            return markup.end(), [self._let("\n")] if _LINE_BREAK.match(text, at) else self._gap()
        if _MARKUP_BEGUN.match(text, at):
            return (len(text), []) if final else None
        return at + 1, self._gap()

    def _backtick(self, text: str, at: int, final: bool) -> Step | None:
        if _FENCE.match(text, at):
            self._fenced = True
            return at + 3, self._gap()
        return None if _FENCE_BEGUN.match(text, at) and not final else (at + 1, [])

    def _underscore(self, text: str, at: int, final: bool) -> Step | None:
        follows = text[at + 1 : at + 2]
        if not follows and not final:
            return None
        return at + 1, [self._let("_")] if self._last.isalnum() and follows.isalnum() else []
