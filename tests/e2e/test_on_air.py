"""A whole show with a real Chromium at both pages: heard, seen in step, silenced, and back after every restart."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.launched import SPINE, LaunchedShow, launched
from tests.e2e.test_pages import ARGS, AUTOPLAY, BUILD, CHROMIUM, METER, until

LINE = "Once upon a time, a small orange fox found a microphone in the snow, and she told everybody about it."
LOUD = 0.02

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
    pytest.mark.skipif(not (BUILD / "index.html").exists(), reason="the pages are not built"),
]


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedShow]:
    with launched(tmp_path_factory.mktemp("on-air")) as running:
        yield running


class Pages:
    """The control room and an overlay of a launched show."""

    def __init__(self, show: LaunchedShow, room: Page, overlay: Page) -> None:
        self.show = show
        self.room = room
        self.overlay = overlay

    async def ask(self, verb: str, path: str, body: dict[str, Any] | None = None, port: int = 0) -> Any:
        """REST, while the pages go on."""
        return await asyncio.to_thread(self.show.call, verb, path, body, port)

    async def say(self, text: str, **more: Any) -> str:
        turn_id: str = (await self.ask("POST", "/say", {"text": text, **more}))["turn_id"]
        return turn_id

    async def loud(self) -> None:
        """Wait until the overlay sounds."""
        await until(self.overlay, lambda level: level > LOUD, 10)

    async def silent(self, within_s: float) -> None:
        """Wait until it has been silent for a tenth of a second: a pause between words is shorter."""
        quiet = 0

        def fits(level: float) -> bool:
            nonlocal quiet
            quiet = 0 if level > LOUD else quiet + 1
            return quiet > 10

        await until(self.overlay, fits, within_s)


@asynccontextmanager
async def opened(show: LaunchedShow) -> AsyncIterator[Pages]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGS, AUTOPLAY])
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        await context.add_init_script(METER)
        room, overlay = await context.new_page(), await context.new_page()
        link = await asyncio.to_thread(show.call, "POST", "/auth/link", {}, show.control)
        await room.goto(link["url"])
        await expect(room.get_by_test_id("on-air")).to_be_visible()
        key = (show.root / "secrets" / "overlay_key").read_text().strip()
        await overlay.goto(f"http://127.0.0.1:{show.control}/overlay#key={key}")
        pages = Pages(show, room, overlay)
        async with asyncio.timeout(10):
            while not (await pages.ask("GET", "/status"))["listening"]:
                await overlay.wait_for_timeout(50)
        yield pages
        await browser.close()


async def test_captions_keep_step_with_the_sound(show: LaunchedShow) -> None:
    """When the sound is cut at a moment, the words on the plate are those that were heard by then."""
    async with opened(show) as pages:
        for after_ms in (900, 2100, 3300):
            turn_id = await pages.say(LINE)
            await pages.loud()
            await pages.overlay.wait_for_timeout(after_ms)
            captions = pages.overlay.get_by_test_id("captions")
            shown, _ = await asyncio.gather(captions.inner_text(), pages.ask("POST", "/control/skip", {}))
            await pages.silent(1.0)
            await expect(captions).to_have_count(0)
            turn = await asyncio.to_thread(show.ended, turn_id)
            on_plate, heard = shown.split(), turn["heard"].split()
            assert LINE.startswith(turn["heard"])
            last = len(LINE[: LINE.index(" ".join(on_plate)) + len(" ".join(on_plate))].split())
            assert abs(last - len(heard)) <= 1, (shown, turn["heard"])


async def test_panic_on_the_page_silences_what_is_heard(show: LaunchedShow) -> None:
    async with opened(show) as pages:
        turn_id = await pages.say(LINE)
        await pages.loud()
        await pages.overlay.wait_for_timeout(400)
        await pages.room.get_by_test_id("panic").click()
        await pages.silent(1.0)
        story = pages.room.get_by_test_id("panic-story")
        for exit_name in ("overlay", "captions", "voice", "sound", "brain"):
            await expect(story).to_contain_text(exit_name)
        await expect(pages.room.get_by_test_id("panic")).to_contain_text("Silent")
        assert (await asyncio.to_thread(show.ended, turn_id))["outcome"] == "panic"
        await pages.room.get_by_role("button", name="Resume…").click()
        await pages.room.get_by_role("button", name="Yes, resume").click()
        await expect(pages.room.get_by_test_id("panic")).to_contain_text("PANIC")
        await pages.say("And I am back.")
        await pages.loud()
        await pages.ask("POST", "/control/skip", {})


@pytest.mark.parametrize("name", SPINE)
async def test_the_pages_come_back_after_a_restart(show: LaunchedShow, name: str) -> None:
    """Nobody reloads anything: the next line is heard on the overlay and shown in the control room."""
    async with opened(show) as pages:
        await pages.ask("POST", f"/services/{name}/restart", {}, show.launcher)
        await asyncio.to_thread(show.wait_ready)
        began = time.monotonic()
        async with asyncio.timeout(10):
            while not (await pages.ask("GET", "/status"))["listening"]:
                await pages.overlay.wait_for_timeout(50)
        assert time.monotonic() - began < 3.0, "the overlay plays again within 3 s"
        await pages.say("Here I am again, as if nothing had happened.")
        await pages.loud()
        await expect(pages.overlay.get_by_test_id("captions")).to_contain_text("again")
        await expect(pages.room.get_by_test_id("said")).to_contain_text("as if nothing had happened")
        await pages.ask("POST", "/control/skip", {})
        await pages.silent(1.0)
