"""How things are said that are written otherwise, and where they stand in both forms."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsu.speech.rewrites import written_span
from kitsu.speech.saying import Speaker, name_words

MILLIONS = "one million, two hundred and thirty-four thousand, five hundred and sixty-seven"
ENGLISH = [
    ("I have 3 cats.", "I have three cats."),
    ("1,234 viewers", "one thousand, two hundred and thirty-four viewers"),
    ("Pi is 3.14, roughly.", "Pi is three point one four, roughly."),
    ("Agent 007", "Agent zero zero seven"),
    ("Call 1234567890 now", "Call one two three four five six seven eight nine zero now"),
    ("Since 1999, and in 2026.", "Since nineteen ninety-nine, and in twenty twenty-six."),
    ("You are 1st, he is 23rd", "You are first, he is twenty-third"),
    ("At 7:30 pm or 19:05", "At seven thirty p m or nineteen oh five"),
    ("at 9:00.", "at nine o'clock."),
    ("$5", "five dollars"),
    ("$5.50 and €20", "five dollars, fifty cents and twenty euro"),
    ("20 € please", "twenty euro please"),
    ("$1.5k", "one thousand, five hundred dollars"),
    ("10k subs, 2.5M views", "ten thousand subs, two million, five hundred thousand views"),
    ("50% off", "fifty percent off"),
    ("It is 20°C at 60 fps", "It is twenty degrees Celsius at sixty frames a second"),
    ("3-4 hours", "three to four hours"),
    ("look at https://www.twitch.tv/kitsu?x=1 now", "look at twitch dot tv now"),
    ("on example.com, yes", "on example dot com, yes"),
    ("thanks xX_DarkLord99_Xx!", "thanks Dark Lord ninety-nine!"),
    ("hi @snow_fox2024", "hi snow fox two zero two four"),
    ("that is :blue_heart: nice", "that is blue heart nice"),
    ("rock & roll, 1 + 1 = 2", "rock and roll, one plus one equals two"),
    ("You are #1!", "You are number one!"),
    ("KEKW that was funny", " that was funny"),
    ("gg, kitsu!", "G G, Kit soo!"),
    ("No numbers here, just words: isn't it nice?", "No numbers here, just words: isn't it nice?"),
    ("e.g. this one, i.e. that", "e.g. this one, i.e. that"),
    ("At 93.184.216.34", "At ninety-three dot one hundred and eighty-four dot two hundred and sixteen dot thirty-four"),
    ("1.234.567,8 in all", f"{MILLIONS} point eight in all"),
    ("$1.234.567,08", f"{MILLIONS} dollars, eight cents"),
]
GERMAN = [
    ("Ich habe 3 Katzen", "Ich habe drei Katzen"),
    ("1.234,5 Punkte", "eintausendzweihundertvierunddreißig Komma fünf Punkte"),
    ("um 19:05", "um neunzehn Uhr fünf"),
    ("5,50 €", "fünf Euro und fünfzig Cent"),
    ("50 %", "fünfzig Prozent"),
    ("auf beispiel.de", "auf beispiel Punkt de"),
]
WORDS = {"KEKW": "", "gg": "G G", "Kitsu": "Kit soo"}


@pytest.mark.parametrize(("written", "said"), ENGLISH)
def test_english(written: str, said: str) -> None:
    assert Speaker("en", WORDS).say(written).text == said


@pytest.mark.parametrize(("written", "said"), GERMAN)
def test_german(written: str, said: str) -> None:
    assert Speaker("de").say(written).text == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DarkLord", "Dark Lord"),
        ("snow_fox", "snow fox"),
        ("__x__", "x"),
        ("Fox42", "Fox forty-two"),
        ("fox2024", "fox two zero two four"),
        ("ABC", "ABC"),
        ("ünïcode_fän", "ünïcode fän"),
        ("_", "_"),
        ("a" * 60, "a" * 60),
    ],
)
def test_names(name: str, said: str) -> None:
    assert name_words(name, "en") == said


def test_places_in_both_forms() -> None:
    written = "It is 7:30, KEKW, and 20% off."
    said = Speaker("en", WORDS).say(written)
    at = {piece: said.text.index(piece) for piece in ("It", "thirty", "and", "percent", "off")}

    def shown(piece: str) -> str:
        start, end = written_span(said.rewrites, at[piece], at[piece] + len(piece))
        return written[start:end]

    assert [shown(piece) for piece in at] == ["It", "7:30", "and", "20%", "off"]


@given(st.text(alphabet=st.sampled_from("ab12 .,:$€%_@/-#kKX°&\ud83d\n"), max_size=80))
def test_any_text(text: str) -> None:
    """Never an error, rewrites in order, and what is not rewritten is the same in both forms."""
    said = Speaker("en", WORDS).say(text)
    at = written_at = 0
    for one in said.rewrites:
        assert said.text[at : one.start] == text[written_at : one.written_start]
        assert one.start <= one.end
        assert one.written_start < one.written_end
        at, written_at = one.end, one.written_end
    assert said.text[at:] == text[written_at:]


@pytest.mark.parametrize("piece", ["1", "1,", "1.", "1:", "$", "a_", "xX", "www.", "a.", "@", "1-", "9" * 30 + " "])
def test_hostile_text_takes_linear_time(piece: str) -> None:
    speaker = Speaker("en", WORDS)

    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        begin = time.process_time()
        speaker.say(text)
        return time.process_time() - begin

    assert seconds(4_000) < 0.5
