"""A long file's words in messages that the hub takes."""

import pytest

from kitsu.protocol import AsrTranscript, WordTime, encode
from kitsu.protocol.frames import MAX_TEXT_BYTES
from kitsu_asr.files_desk import WORDS_BYTES, in_parts


def transcript(*words: str) -> AsrTranscript:
    timed = tuple(WordTime(word=word, start_ms=n * 1e6 / 3, end_ms=n * 1e6 / 3 + 200) for n, word in enumerate(words))
    return AsrTranscript(parent_id="p", conv="c", file="f", text="x", words=timed, engine="e")


@pytest.mark.parametrize("words", [(), ("one",), ("hello", "world")])
def test_a_few_words_are_one_message(words: tuple[str, ...]) -> None:
    whole = transcript(*words)
    assert list(in_parts(whole)) == [whole]


@pytest.mark.parametrize("word", ["hello", "狐" * 40, '"\\\x00' * 30])
def test_an_hour_of_words_is_several_and_nothing_is_lost(word: str) -> None:
    whole = transcript(*[word] * 32_400)
    parts = list(in_parts(whole))
    assert len(parts) > 3
    assert tuple(one for part in parts for one in part.words) == whole.words
    assert [part.part for part in parts] == list(range(len(parts)))
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
    assert {(part.file, part.parent_id, part.conv) for part in parts} == {("f", "p", "c")}
    assert [part.engine for part in parts if part.engine] == ["e"]
    assert all(len(str(encode(part)).encode()) < WORDS_BYTES + 1_000 < MAX_TEXT_BYTES for part in parts)
