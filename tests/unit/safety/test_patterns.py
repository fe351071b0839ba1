import pytest
import re2

from kitsu.safety import views
from kitsu.safety.patterns import Pattern, checked, iban_inside, luhn, phone, public_ip


@pytest.mark.parametrize("text", ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"])
def test_card_numbers_pass_the_luhn_sum(text: str) -> None:
    assert luhn(text)


@pytest.mark.parametrize("text", ["4111 1111 1111 1112", "0000 0000 0000 0000", "4111", "1" * 40])
def test_other_numbers_do_not(text: str) -> None:
    assert not luhn(text)


def test_only_public_addresses_lead_to_someone() -> None:
    assert public_ip("93.184.216.34")
    assert not public_ip("127.0.0.1")
    assert not public_ip("192.168.0.10")
    assert not public_ip("999.1.1.1")


def test_counting_is_not_dialling() -> None:
    assert phone("5 5 5 0 1 9 9")
    assert not phone("1 2 3 4 5 6 7 8 9")
    assert not phone("9 8 7 6 5 4 3 2 1 0")
    assert not phone("7 7 7 7 7 7 7")
    assert not phone("123456")


def test_unless_excuses_a_finding() -> None:
    pattern = Pattern("p", frozenset({"plain"}), r"\bboom\b", unless=r"\bgame\b")
    assert pattern.find(views.plain("BOOM one")) == (0, 4)
    assert pattern.find(views.plain("boom in a game")) is None


def test_an_account_number_is_known_by_its_check_digits() -> None:
    assert iban_inside("DE89 3704 0044 0532 0130 00")
    assert iban_inside("gb82west12345698765432 thanks")
    assert not iban_inside("DE88 3704 0044 0532 0130 00")
    assert not iban_inside("DE89")


def test_a_failed_check_looks_further() -> None:
    pattern = Pattern("card", frozenset({"plain"}), r"\d{4} \d{4} \d{4} \d{4}", check="luhn")
    found = pattern.find(views.plain("1234 1234 1234 1234, 4111 1111 1111 1111"))
    assert found == (21, 40)


def test_a_bad_pattern_says_so_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(re2.error):
        checked(r"(?=look-around)")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("gap", [r"\C{0,20}", r"[^*]{0,20}", r"[^\]]{2,9}"])
def test_a_hint_is_found_wherever_its_pattern_is(gap: str) -> None:
    pattern = Pattern("p", frozenset({"plain"}), rf"\bfox{gap}den\b")
    text = "the fox and her den"
    assert pattern.find(views.plain(text))
    assert re2.search(pattern.hint, text)
    assert "{" not in pattern.hint
