"""The pages in a real Chromium, through the real door, before a scripted show that hums a tone for each word."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from kitsu.config import CHECKOUT
from kitsu.protocol import PanicConfirmed, PlayoutDevices, SinkClosed, SinkFlushed, SinkOpened, SinkPosition
from tests.fakes.door import FakeDoor, open_door
from tests.fakes.orchestrator import FakeOrchestrator
from tests.fakes.show import ANSWER, DEVICES, ScriptedShow

BUILD = CHECKOUT / "web" / "build"
CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"  # as in OBS
METER = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
        const meter = new AnalyserNode(this.context, { fftSize: 1024 });
        const memory = new AnalyserNode(this.context, { fftSize: 8192 });
        connect.call(this, meter);
        connect.call(this, memory);
        window.heard = () => {
            const samples = new Float32Array(8192);
            memory.getFloatTimeDomainData(samples);
            return [...samples];
        };
        window.loudness = () => {
            const samples = new Float32Array(1024);
            meter.getFloatTimeDomainData(samples);
            return Math.max(...samples.map(Math.abs));
        };
    }
    return connect.call(this, target, ...rest);
};
window.loudness = () => 0;
"""
TEXT = " ".join(text for text, _ in ANSWER)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
    pytest.mark.skipif(not (BUILD / "index.html").exists(), reason="the pages are not built"),
]


@dataclass
class Stage:
    """Everything that a test of a page needs."""

    show: ScriptedShow
    door: FakeDoor
    browser: Browser
    complaints: list[str] = field(default_factory=list)  # of the pages: errors, policy violations

    async def context(self, **options: Any) -> BrowserContext:
        context = await self.browser.new_context(**options)
        await context.add_init_script(METER)
        return context

    async def page(self, context: BrowserContext) -> Page:
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if "Content Security" in said.text else None)
        return page

    async def link(self) -> str:
        async with self.door.client(**self.door.bearer) as client:
            url: str = (await client.post("/auth/link")).json()["url"]
        return url

    async def overlay(self, context: BrowserContext, query: str = "") -> Page:
        page = await self.page(context)
        await page.goto(f"{self.door.url}/overlay{query}#key={self.door.overlay_key}")
        return page

    async def room(self, context: BrowserContext) -> Page:
        page = await self.page(context)
        await page.goto(await self.link())
        await expect(page.get_by_test_id("on-air")).to_be_visible()
        return page

    async def chat(self, text: str = "hello, who are you?") -> None:
        async with self.door.client(**self.door.bearer) as client:
            await client.post("/api/v1/chat", json={"text": text, "author": "Mika"})


@asynccontextmanager
async def staged(folder: Path, monkeypatch: pytest.MonkeyPatch, *args: str) -> AsyncIterator[Stage]:
    async with (
        async_playwright() as playwright,
        ScriptedShow() as show,
        FakeOrchestrator() as launcher,
        open_door(show, folder, monkeypatch, build=BUILD, launcher_port=launcher.port) as door,
    ):
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGS, *args])
        stage = Stage(show, door, browser)
        yield stage
        await browser.close()
        assert stage.complaints == []


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    async with staged(tmp_path, monkeypatch, AUTOPLAY) as opened:
        yield opened


async def loudness(page: Page) -> float:
    level: float = await page.evaluate("loudness()")
    return level


async def until(page: Page, fits: Callable[[float], bool], timeout_s: float = 15.0) -> None:
    """Wait until the page's loudness fits."""
    async with asyncio.timeout(timeout_s):
        while not fits(await loudness(page)):
            await page.wait_for_timeout(10)


async def test_the_overlay_speaks_and_shows_it(stage: Stage) -> None:
    overlay = await stage.overlay(await stage.context())
    opened = await stage.show.expect(SinkOpened)
    assert (opened.kind, opened.label) == ("overlay", "browser window")
    await stage.chat()
    await until(overlay, lambda level: level > 0.1)
    await expect(overlay.get_by_text("hello, who are you?")).to_be_visible()
    await expect(overlay.get_by_text("Mika")).to_be_visible()
    captions = overlay.get_by_test_id("captions")
    for words in ("Hehe,", "Kitsu, your", "knock over"):
        await expect(captions).to_contain_text(words)
    reports = [one.position for one in stage.show.all(SinkPosition, state="running")]
    assert reports == sorted(reports)
    assert len(reports) > 10
    await until(overlay, lambda level: level == 0)
    await expect(captions).to_have_count(0)


async def test_captions_keep_to_what_is_heard(stage: Stage) -> None:
    """A word shows when its sound does: the words on the plate never run ahead of the reported position."""
    overlay = await stage.overlay(await stage.context())
    await stage.show.expect(SinkOpened)
    await stage.chat()
    await until(overlay, lambda level: level > 0.1)
    seen = await overlay.evaluate(
        """() => new Promise((resolve) => {
            const seen = [];
            const began = performance.now();
            const timer = setInterval(() => {
                const words = document.querySelectorAll('[data-testid=captions] span').length;
                seen.push([performance.now() - began, words]);
                if (performance.now() - began > 1500) { clearInterval(timer); resolve(seen); }
            }, 20);
        })"""
    )
    steps = [ms for (ms, words), (_, before) in zip(seen[1:], seen, strict=False) if words == before + 1]
    gaps = [later - earlier for earlier, later in pairwise(steps)]
    assert len(gaps) >= 3
    assert all(140 < gap < 400 for gap in gaps), gaps  # the show hums a word in 260 ms


async def test_the_overlay_is_transparent_and_can_be_thinned_out(stage: Stage) -> None:
    context = await stage.context(viewport={"width": 640, "height": 360})
    overlay = await stage.overlay(context, "?mouth=0&captions=0&question=0&sound=0")
    await stage.chat()
    await stage.show.playing.wait()
    await overlay.wait_for_timeout(300)
    assert await overlay.locator(".fox, [data-testid=captions], .question").count() == 0
    assert stage.show.all(SinkOpened) == []
    png = await overlay.screenshot(omit_background=True)
    alpha = await overlay.evaluate(
        """async (bytes) => {
            const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: 'image/png' }));
            const canvas = new OffscreenCanvas(picture.width, picture.height);
            const pen = canvas.getContext('2d');
            pen.drawImage(picture, 0, 0);
            const { data } = pen.getImageData(0, 0, picture.width, picture.height);
            return data.reduce((most, value, i) => (i % 4 === 3 ? Math.max(most, value) : most), 0);
        }""",
        list(png),
    )
    assert alpha == 0


async def test_without_its_own_sound_the_overlay_follows_the_show(stage: Stage) -> None:
    overlay = await stage.overlay(await stage.context(), "?sound=0")
    await overlay.wait_for_timeout(300)
    await stage.chat()
    await expect(overlay.get_by_test_id("captions")).to_contain_text("hello there!")
    assert await loudness(overlay) == 0


async def test_two_overlays_one_voice(stage: Stage) -> None:
    context = await stage.context()
    one, two = await stage.overlay(context), await stage.overlay(context)
    await stage.show.expect(SinkOpened)
    await stage.show.expect(SinkOpened)
    await stage.chat()
    await stage.show.playing.wait()
    pages = {True: 0, False: 0}
    await one.wait_for_timeout(500)
    for page in (one, two):
        pages[await loudness(page) > 0.1] += 1
        await expect(page.get_by_test_id("captions")).to_be_visible()
    assert pages == {True: 1, False: 1}


async def test_autoplay_block_is_reported_and_ended_by_a_click(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(tmp_path, monkeypatch, "--autoplay-policy=document-user-activation-required") as stage:
        overlay = await stage.overlay(await stage.context())
        await stage.show.expect(SinkPosition, state="blocked")
        await overlay.get_by_role("button", name="Click to hear Kitsu").click()
        await stage.show.expect(SinkPosition, state="idle")
        await stage.chat()
        await until(overlay, lambda level: level > 0.1)


async def test_chat_captions_and_panic_in_the_control_room(stage: Stage) -> None:
    context = await stage.context(viewport={"width": 1440, "height": 900})
    overlay, room = await stage.overlay(context), await stage.room(context)
    await stage.show.expect(SinkOpened)
    assert "#" not in room.url
    await room.get_by_label("A line for her to answer").fill("hello, who are you?")
    await room.keyboard.press("Enter")
    said = room.get_by_test_id("said")
    await expect(said).to_contain_text(ANSWER[1][0])
    await expect(said.locator(".heard").first).to_have_text(ANSWER[0][0])
    await until(overlay, lambda level: level > 0.1)
    await room.get_by_test_id("panic").click()
    await until(overlay, lambda level: level == 0, 1.0)
    await expect(overlay.get_by_test_id("captions")).to_have_count(0)
    story = room.get_by_test_id("panic-story")
    for exit_name in ("overlay", "captions", "sound", "voice", "brain"):
        await expect(story).to_contain_text(exit_name)
    await expect(room.get_by_test_id("panic")).to_contain_text("Silent")
    assert {one.exit.partition(":")[0] for one in stage.show.all(PanicConfirmed)} == {"overlay", "captions"}
    assert all(one.latency_ms < 150 for one in stage.show.all(SinkFlushed))
    await room.get_by_role("button", name="Resume…").click()
    assert stage.show.levels.panic is not None  # it asked first
    await room.get_by_role("button", name="Yes, resume").click()
    await expect(room.get_by_test_id("panic")).to_contain_text("PANIC")
    await stage.chat()
    await until(overlay, lambda level: level > 0.1)


async def test_panic_by_key_while_typing_and_with_a_frozen_orchestrator(stage: Stage) -> None:
    context = await stage.context()
    overlay, room = await stage.overlay(context), await stage.room(context)
    await stage.show.expect(SinkOpened)
    await stage.chat()
    await until(overlay, lambda level: level > 0.1)
    stage.show.hold.clear()
    await room.get_by_label("A line for her to answer").fill("typing")
    await room.keyboard.press("F9")
    await until(overlay, lambda level: level == 0, 1.0)
    await expect(room.get_by_test_id("panic")).to_contain_text("Not all silent!")
    await expect(room.get_by_test_id("panic-story")).to_contain_text("hub no answer")
    await expect(room.get_by_test_id("panic-story")).to_contain_text("captions")


async def test_the_verbs(stage: Stage) -> None:
    room = await stage.room(await stage.context())
    state = room.get_by_test_id("on-air")
    await expect(state).to_contain_text("On air")
    await room.get_by_role("button", name="To standby").click()
    await expect(state).to_contain_text("Standby")
    await room.get_by_role("button", name="Mute", exact=True).click()
    await expect(state).to_contain_text("Viewers hear nothing.")
    await room.get_by_role("button", name="Unmute").click()
    await room.get_by_role("button", name="Say this").click()
    await room.get_by_label("Words for her to say").fill("Back in five!")
    await room.get_by_role("button", name="Say now").click()
    await expect(room.get_by_test_id("said")).to_contain_text("Back in five!")
    say = next(asked for asked in stage.show.asked if asked.path == "/say")
    assert say.json() == {"text": "Back in five!", "now": True}
    await room.get_by_role("button", name="Skip").click()
    await expect(room.get_by_text("cut short")).to_be_visible()


async def test_a_failed_order_says_so(stage: Stage) -> None:
    room = await stage.room(await stage.context())
    stage.show.answers["POST /control/mute"] = (409, {"error": {"code": "busy", "message": "Not now."}})
    await room.get_by_role("button", name="Mute", exact=True).click()
    await expect(room.get_by_role("alert")).to_contain_text("Not now.")


async def test_listening_in_the_control_room(stage: Stage) -> None:
    room = await stage.room(await stage.context())
    await expect(room.get_by_text("Nobody listens.")).to_be_visible()
    await room.get_by_role("button", name="Listen here").click()
    assert (await stage.show.expect(SinkOpened)).kind == "page"
    await expect(room.get_by_text("Nobody listens.")).to_have_count(0)
    await stage.chat()
    await until(room, lambda level: level > 0.1)
    await room.get_by_role("button", name="Listening here").click()
    await stage.show.expect(SinkClosed)


async def test_the_sound_device_is_chosen_on_the_page(stage: Stage) -> None:
    room = await stage.room(await stage.context())
    select = room.get_by_label("Plays on")
    await expect(select).to_have_value("none")
    await select.select_option(DEVICES[1])
    await expect(select).to_have_value(DEVICES[1])
    assert stage.show.device.chosen == DEVICES[1]
    await stage.show.plays_on(DEVICES[1], "The sound device is gone.")
    await expect(room.get_by_text("The sound device is gone.")).to_be_visible()
    stage.show.device = msgspec.structs.replace(stage.show.device, there=(DEVICES[0], "Ghost, MME"), trouble="")
    await stage.show.tell(PlayoutDevices(device=stage.show.device))
    await expect(select.locator("option:checked")).to_have_text(f"{DEVICES[1]} (not there)")
    await select.select_option("Ghost, MME")
    await expect(room.get_by_role("alert")).to_contain_text("There is no device 'Ghost, MME'.")
    await expect(select).to_have_value(DEVICES[1])
    await select.select_option("none")
    await expect(select).to_have_value("none")
    assert stage.show.device.chosen == ""


async def test_pages_come_back_by_themselves(stage: Stage) -> None:
    context = await stage.context()
    overlay, room = await stage.overlay(context), await stage.room(context)
    first = await stage.show.expect(SinkOpened)
    joined = len(stage.show.hellos)
    await stage.show.drop()
    await stage.show.drop_streams()
    await stage.show.joins(joined + 1)
    await stage.show.expect(SinkOpened, sink=first.sink)
    for sink in list(stage.door.worker._relay.sinks.values()):
        sink.close(1012, "restart")
    await stage.show.expect(SinkClosed)
    async with asyncio.timeout(15):
        while stage.show.elected in ("", first.sink):
            await stage.show.expect(SinkOpened)
        while not stage.show.streams:
            await room.wait_for_timeout(20)
    await stage.chat()
    await until(overlay, lambda level: level > 0.1)
    await expect(room.get_by_test_id("said")).to_contain_text(ANSWER[0][0])


async def test_signing_in(stage: Stage) -> None:
    context = await stage.context()
    page = await stage.page(context)
    await page.goto(stage.door.url)
    await expect(page.get_by_text("kitsu open").first).to_be_visible()
    used = await stage.link()
    await page.goto(used)  # only the fragment changes: the page must notice
    await expect(page.get_by_test_id("on-air")).to_be_visible()
    stranger = await stage.page(await stage.context())
    await stranger.goto(used)
    await expect(stranger.get_by_role("alert")).to_contain_text("used or is too old")


async def test_a_phone_has_everything_at_the_thumb(stage: Stage) -> None:
    room = await stage.room(await stage.context(viewport={"width": 390, "height": 844}))
    for element in (room.get_by_test_id("panic"), room.get_by_test_id("said"), room.get_by_role("button", name="Skip")):
        await expect(element).to_be_in_viewport(ratio=1)
    assert await room.evaluate("document.documentElement.scrollWidth") <= 390
    before = await room.get_by_test_id("panic").bounding_box()
    await room.get_by_test_id("panic").click()
    await expect(room.get_by_role("button", name="Resume…")).to_be_in_viewport(ratio=1)
    after = await room.get_by_test_id("panic").bounding_box()
    assert before
    assert after
    assert abs(before["y"] + before["height"] - after["y"] - after["height"]) < 2


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1110, 700), (390, 844)])
async def test_no_button_at_the_bottom_lies_under_another(stage: Stage, width: int, height: int) -> None:
    room = await stage.room(await stage.context(viewport={"width": width, "height": height}))
    boxes = await room.locator(".dock button").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(({x, y, right, bottom}) => [x, y, right, bottom])"
    )
    assert len(boxes) >= 8
    over = [(a, b) for a, b in combinations(boxes, 2) if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]
    assert over == []
