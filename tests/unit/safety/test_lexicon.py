import pytest

from kitsu.safety import views
from kitsu.safety.lexicon import Innocent, Lexicon, Term

INNOCENT = Innocent.of(["scunthorpe", "captain zorbly", "pencil"], ["pen", "is", "go", "ok", "a"])
LEXICON = Lexicon(
    [
        Term.of("zorbly"),
        Term.of("cunt", part=True),
        Term.of("penis"),
        Term.of("gook"),
        Term.of("assy"),
        Term.of("go is ok"),
    ],
    INNOCENT,
)


def find(text: str) -> tuple[str, int, int] | None:
    return LEXICON.find(views.skeleton(views.plain(text)))


@pytest.mark.parametrize(
    "text",
    [
        "zorbly",
        "a ZORBLY!",
        "zorblys",
        "z o r b l y",
        "z.o.r.b.l.y",
        "z-o_r*b~l/y",
        "zor bly",
        "zor, bly",
        "zzzooorrrbbblllyyy",
        "z  oo rr b ll y",
        "z0rb1y",
        "z0rb|y",
        "zo'rb'ly",
        "z*rbly",
        "z**bly",
        "#zorbly",
        "(zorbly)",
        "ＺＯＲＢＬＹ",
        "xcuntx",
        "xxCUNTxx",
        "c u n t",
        "a$$y",
        "@ssy",
        "4ssy",
        "go is ok",
        "goisok",
    ],
)
def test_disguises_are_found(text: str) -> None:
    assert find(f"well {text} then")
    assert find(text)


@pytest.mark.parametrize(
    "text",
    [
        "zorblyish",  # another word: `words` match whole words
        "scunthorpe",
        "Scunthorpe's",
        "hello captain zorbly",
        "this pen is red",
        "go ok",
        "pencils",
        "**a**",
        "2*3*4",
        "455",
        "4 5 5",
        "",
        "!!!",
    ],
)
def test_innocent_text_passes(text: str) -> None:
    assert find(text) is None


def test_a_find_is_named_after_its_term_and_located() -> None:
    view = views.skeleton(views.plain("well, z 0 r b l y!"))
    found = LEXICON.find(view)
    assert found is not None
    name, start, end = found
    assert name == "zorbly"
    assert view.data[start:end].strip(b"!") == b"z 0 r b l y"


def test_an_innocent_find_does_not_hide_the_next_one() -> None:
    assert find("my pen is a penis")
    assert find("scunthorpe cunt")
    assert find("pen is p e n i s")


@pytest.mark.parametrize("word", ["", "ab", "!!!", "1234", "\u200b\u200b\u200b"])
def test_a_term_needs_letters(word: str) -> None:
    with pytest.raises(ValueError, match="fewer than 3 letters"):
        Term.of(word)


def test_terms_of_any_script_work() -> None:
    lexicon = Lexicon([Term.of("плохо"), Term.of("ダメ人"), Term.of("größe")], Innocent())
    for text in ("это плохо!", "п л о х о", "ダメ人", "GRÖSSE"):
        assert lexicon.find(views.skeleton(views.plain(text))), text


def test_a_term_of_a_script_without_gaps_is_found_inside_a_line() -> None:
    lexicon = Lexicon([Term.of("狐狸坏"), Term.of("坏狐")], INNOCENT)
    assert lexicon.find(views.skeleton(views.plain("这只狐狸坏透了"))) is not None
    assert lexicon.find(views.skeleton(views.plain("你这坏狐"))) is not None
    assert lexicon.find(views.skeleton(views.plain("这只狐狸很好"))) is None
