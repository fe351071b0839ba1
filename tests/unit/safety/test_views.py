import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsu.safety import views

DISGUISED = [
    "ZORBLY",
    "ｚｏｒｂｌｙ",  # full width
    "𝔷𝔬𝔯𝔟𝔩𝔶",  # mathematical letters
    "ⓩⓞⓡⓑⓛⓨ",  # circled
    "z\u0301o\u0308r\u0327bly",  # combining marks
    "zörbļý",  # composed accents
    "z\u200bo\u200dr\u2060b\ufeffl\u00ady",  # zero width, soft hyphen
    "zo\U000e0072rbly",  # tag character
    "zo\ufe0frbly",  # variation selector
    "z\u202eorbly",  # direction override
    "zоrblу",  # Cyrillic o and y
    "zοrbly",  # Greek o
]


@pytest.mark.parametrize("text", DISGUISED)
def test_disguised_letters_fold_to_the_same_view(text: str) -> None:
    assert views.plain(text).text == "zorbly"


def test_blanks_and_control_characters_become_one_blank() -> None:
    assert views.plain("  a \t\n\x00\u2003b\u2028 ").text == "a b "


def test_skeleton_keeps_letters_digits_and_letter_signs_only() -> None:
    assert views.folded("Don’t, s.t.o.p -- n0w!!!!! $$$$") == "dont s t o p n0w!!! $$$"


def test_heard_writes_number_words_as_digits() -> None:
    view = views.heard(views.plain("call five oh nine"))
    assert view is not None
    assert view.text == "call 5 0 9"
    assert views.heard(views.plain("nothing to count")) is None


def test_a_find_maps_back_to_the_original() -> None:
    text = "say ｆｏｕｒ\u200b z\u0301o.r now"
    plain = views.plain(text)
    at = plain.data.index(b"zo.r")
    start, end = plain.span(at, at + 4)
    assert text[start:end] == "z\u0301o.r"
    skeleton = views.skeleton(plain)
    at = skeleton.data.index(b"zo r")
    start, end = skeleton.span(at, at + 4)
    assert text[start:end] == "z\u0301o.r"
    heard = views.heard(plain)
    assert heard is not None
    start, end = heard.span(4, 5)
    assert text[start:end].startswith("ｆ")


def test_one_code_point_cannot_blow_up() -> None:
    assert len(views.plain("ﷺ" * 100).text) <= 300


@given(st.text(max_size=300))
def test_any_text_has_views_that_map_into_it(text: str) -> None:
    plain = views.plain(text)
    for view in (plain, views.skeleton(plain), views.heard(plain) or plain, views.masked(plain) or plain):
        assert len(view.text) == len(view.origin)
        assert view.data.decode() == view.text
        start, end = view.points(0, len(view.text))
        assert 0 <= start <= end <= len(text)
        assert all(view.points(at, at + 1)[0] <= view.points(at + 1, at + 2)[0] for at in range(len(view.text) - 1))


def test_letters_of_another_script_are_masks_only_among_latin_ones() -> None:
    one = views.masked(views.plain("zoжbly"))
    assert one is not None
    assert one.text == "zo*bly"
    other = views.masked(views.plain("Привіт з Києва, гарного вечора"))
    assert other is None or "*" not in other.text
