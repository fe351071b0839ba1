"""Somebody speaks into a browser: real Chromium with a fake microphone, real door, hub, ears and recogniser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.launched import LaunchedShow, launched, until
from tests.e2e.test_pages import ARGS, CHROMIUM, METER, pytestmark  # noqa: F401 - the same conditions
from tests.e2e.test_pages import until as until_loud
from tests.fakes.speech import Samples, silence, speak, wav

SAID = "this is a test and then we go home"
CONV = "page:test"
FOLLOW = """
() => {
    window.loudest = 0;
    setInterval(() => { window.loudest = Math.max(window.loudest, loudness()); }, 5);
}
"""
"""The loudest sample that a page ever plays, from now on."""


@asynccontextmanager
async def browser_before(show: LaunchedShow, file: Path, *args: str) -> AsyncIterator[Page]:
    """A signed-in page of a Chromium whose microphone is a file, once."""
    microphone = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={file}%noloop",
    ]
    link = show.call("POST", "/auth/link", {}, port=show.control)["url"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGS, *microphone, *args])
        context = await browser.new_context()
        await context.add_init_script(METER)
        page = await context.new_page()
        await page.goto(link)
        await expect(page.get_by_test_id("on-air")).to_be_visible()
        yield page
        await browser.close()


async def a_line() -> bytes:
    """Somebody says SAID."""
    return wav(np.concatenate((silence(2.0), await speak(SAID), silence(3.0))))


async def start_microphone(show: LaunchedShow, page: Page) -> None:
    await page.goto(f"http://127.0.0.1:{show.control}/ears?conv={CONV}")
    await page.get_by_test_id("mic-start").click()
    await expect(page.get_by_test_id("mic-state")).to_contain_text("Listening", timeout=10_000)


async def test_a_browser_is_heard(tmp_path: Path) -> None:
    file = tmp_path / "said.wav"
    file.write_bytes(await a_line())
    with launched(tmp_path / "home", KITSU__ASR__ENABLED="true") as show:
        async with browser_before(show, file) as page:
            await start_microphone(show, page)
            await expect(page.get_by_test_id("partial")).not_to_be_empty(timeout=20_000)
            heard = page.get_by_test_id("heard").first
            await expect(heard).to_contain_text("after the last word", timeout=20_000)
            assert {"this", "is", "test", "then"} & set((await heard.inner_text()).split())
            await page.get_by_test_id("mic-stop").click()
            await expect(page.get_by_test_id("mic-state")).to_contain_text("off")


async def test_who_speaks_into_a_browser_is_answered_there_and_nowhere_else(tmp_path: Path) -> None:
    file = tmp_path / "said.wav"
    file.write_bytes(await a_line())
    with launched(tmp_path / "home", KITSU__ASR__ENABLED="true") as show:
        async with browser_before(show, file, "--autoplay-policy=no-user-gesture-required") as page:
            stage = await page.context.new_page()
            await stage.goto(show.call("GET", "/auth/overlay-key", port=show.control)["url"])
            await page.bring_to_front()
            await start_microphone(show, page)
            until(lambda: {sink["conv"] for sink in show.call("GET", "/status")["sinks"]} == {"stage", CONV})
            await stage.evaluate(FOLLOW)
            await until_loud(page, lambda level: level > 0.05, 30)
            await page.wait_for_timeout(400)  # what is compared lies in the middle of her answer
            played = await samples_of(page)
            answer = page.get_by_test_id("answer").first
            turn = show.ended(str(await answer.get_attribute("data-turn")))
            assert (turn["conv"], turn["outcome"]) == (CONV, "spoken")
            assert turn["text"]
            await expect(page.get_by_test_id("heard").first).to_contain_text(turn["text"])
            assert turn["heard"]
            assert likeness(played, show.wav(turn["turn_id"])) > 0.9
            await expect(answer).to_contain_text(turn["heard"])
            assert [(row["text"], row["heard"]) for row in kept(show, CONV)] == [(turn["text"], turn["heard"])]
            assert kept(show, "stage") == []
            assert await stage.evaluate("loudest") == 0
            await page.evaluate(FOLLOW)
            assert show.ended(show.say("And this is for everybody."))["outcome"] == "spoken"
            assert await stage.evaluate("loudest") > 0.05
            assert await page.evaluate("loudest") == 0
            assert len(kept(show, CONV)) == 1


def kept(show: LaunchedShow, conv: str) -> list[dict[str, Any]]:
    """What is written down of a conversation, newest first."""
    rows: list[dict[str, Any]] = show.call("GET", f"/turns?conv={conv}")
    return rows


async def samples_of(page: Page) -> Samples:
    """The last 0.17 s that the page gave to its sound device, 48 kHz."""
    heard: list[float] = await page.evaluate("heard()")
    return np.array(heard, np.float32)


def likeness(part: Samples, whole: Any) -> float:
    """How well the best stretch of `whole` fits `part`: 1 for the same sound, whatever its loudness."""
    products = np.abs(np.correlate(whole, part.astype(np.float64), "valid"))
    powers = np.convolve(whole**2, np.ones(len(part)), "valid")
    return float(np.max(products / np.sqrt(np.maximum(powers, 1e-9) * float(np.sum(part.astype(np.float64) ** 2)))))
