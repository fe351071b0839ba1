"""Somebody speaks into a browser: real Chromium with a fake microphone, real door, hub, ears and recogniser."""

from pathlib import Path

import numpy as np
from playwright.async_api import async_playwright, expect

from tests.e2e.launched import launched
from tests.e2e.test_pages import ARGS, CHROMIUM, pytestmark  # noqa: F401 - the same conditions
from tests.fakes.speech import silence, speak, wav

SAID = "this is a test and then we go home"


async def test_a_browser_is_heard(tmp_path: Path) -> None:
    file = tmp_path / "said.wav"
    file.write_bytes(wav(np.concatenate((silence(2.0), await speak(SAID), silence(3.0)))))
    microphone = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={file}",
    ]
    with launched(tmp_path / "home", KITSU__ASR__ENABLED="true") as show:
        link = show.call("POST", "/auth/link", {}, port=show.control)["url"]
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGS, *microphone])
            page = await (await browser.new_context()).new_page()
            await page.goto(link)
            await expect(page.get_by_test_id("on-air")).to_be_visible()
            await page.goto(f"http://127.0.0.1:{show.control}/ears?conv=page:test")
            await page.get_by_test_id("mic-start").click()
            await expect(page.get_by_test_id("mic-state")).to_contain_text("Listening", timeout=10_000)
            await expect(page.get_by_test_id("partial")).not_to_be_empty(timeout=20_000)
            heard = page.get_by_test_id("heard").first
            await expect(heard).to_contain_text("after the last word", timeout=20_000)
            assert {"this", "is", "test", "then"} & set((await heard.inner_text()).split())
            await page.get_by_test_id("mic-stop").click()
            await expect(page.get_by_test_id("mic-state")).to_contain_text("off")
            await browser.close()
