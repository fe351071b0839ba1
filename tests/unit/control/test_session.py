"""Sign-in links are good once; cookies cannot be made or changed by anyone else."""

import pytest

from kitsu_control.session import MAX_LINKS, Sessions, SignInLinks


def test_a_link_works_once() -> None:
    links = SignInLinks(600.0)
    code = links.make(now_s=0.0)
    assert links.use(code, now_s=599.0)
    assert not links.use(code, now_s=599.0)


def test_a_link_expires() -> None:
    links = SignInLinks(600.0)
    assert not links.use(links.make(now_s=0.0), now_s=600.0)


@pytest.mark.parametrize("code", ["", "x", "\0", "ü" * 5000, "\ud800"])
def test_other_codes_do_nothing(code: str) -> None:
    links = SignInLinks(600.0)
    good = links.make(now_s=0.0)
    assert not links.use(code, now_s=1.0)
    assert links.use(good, now_s=1.0)


def test_links_are_bounded_and_the_oldest_goes() -> None:
    links = SignInLinks(600.0)
    first = links.make(now_s=0.0)
    rest = [links.make(now_s=0.0) for _ in range(MAX_LINKS)]
    assert not links.use(first, now_s=1.0)
    assert all(links.use(code, now_s=1.0) for code in rest)


def test_a_cookie_lasts_its_time() -> None:
    sessions = Sessions("t" * 43, 1000.0)
    cookie = sessions.make(now_s=5.0)
    assert sessions.valid(cookie, now_s=1004.0)
    assert not sessions.valid(cookie, now_s=1005.0)


def test_a_cookie_survives_a_restart_but_not_a_new_token() -> None:
    cookie = Sessions("t" * 43, 1000.0).make(now_s=0.0)
    assert Sessions("t" * 43, 1000.0).valid(cookie, now_s=1.0)
    assert not Sessions("u" * 43, 1000.0).valid(cookie, now_s=1.0)


@pytest.mark.parametrize("cookie", ["", ".", "..", "1.2.3", "99999999999.aa.bb", "\ud800.x.y", "ü.ü.ü", "9" * 10_000])
def test_made_up_cookies_are_refused(cookie: str) -> None:
    assert not Sessions("t" * 43, 1000.0).valid(cookie, now_s=0.0)


def test_a_changed_cookie_is_refused() -> None:
    sessions = Sessions("t" * 43, 1000.0)
    expiry, nonce, mac = sessions.make(now_s=0.0).split(".")
    assert not sessions.valid(f"{int(expiry) + 1}.{nonce}.{mac}", now_s=0.0)
    assert not sessions.valid(f"{expiry}.{nonce}0.{mac}", now_s=0.0)
    assert not sessions.valid(f"{expiry}.{nonce}.{mac[:-1]}", now_s=0.0)
