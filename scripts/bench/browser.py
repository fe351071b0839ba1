"""Real Chromium: a control page whose clicks are timed, an overlay whose sound is measured before the speaker."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, async_playwright

from bench.errors import BenchError
from bench.rest import Door
from bench.stack import Place

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",  # as OBS has it
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")

LISTEN = """
(() => {
  const processor = `registerProcessor('bench-tap', class extends AudioWorkletProcessor {
    process([input]) {
      const samples = input[0] ?? [];
      for (let i = samples.length - 1; i >= 0; i--)
        if (Math.abs(samples[i]) > 0.003) { this.port.postMessage(currentTime + i / sampleRate); break; }
      return true;
    }
  });`;
  const url = URL.createObjectURL(new Blob([processor], { type: 'text/javascript' }));
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
      const context = this.context;
      context.audioWorklet.addModule(url).then(() => {
        const tap = new AudioWorkletNode(context, 'bench-tap', { numberOfOutputs: 0 });
        tap.port.onmessage = ({ data }) => { window.benchLoud = data; window.benchContext = context; };
        connect.call(this, tap);
      });
    }
    return connect.call(this, target, ...rest);
  };
})();
"""
"""Notes the context time of the last sample above -50 dBFS that goes to a speaker."""

LAST_LOUD = """
() => {
  const context = window.benchContext;
  if (!context) return 0;
  const stamp = context.getOutputTimestamp();
  const known = stamp.contextTime > 0;
  const at = known ? stamp.performanceTime : performance.now() + (context.outputLatency || 0) * 1000;
  const since = window.benchLoud - (known ? stamp.contextTime : context.currentTime);
  return performance.timeOrigin + at + since * 1000;
}
"""
"""When that sample leaves the speaker, unix ms; 0 if none ever did."""

WATCH_CLICKS = """
addEventListener('pointerdown', (event) => {
  window.benchClick = performance.timeOrigin + event.timeStamp;
}, true);
"""


class Browser:
    """Both pages."""

    def __init__(self, control: Page, overlay: Page) -> None:
        self.control = control
        self.overlay = overlay

    async def last_loud_ms(self) -> float:
        """When the last audible sample left the overlay, unix ms; 0: none yet."""
        return cast("float", await self.overlay.evaluate(LAST_LOUD))

    async def click(self, test_id: str) -> float:
        """Click a button of the control page. Returns when its pointer went down, unix ms."""
        await self.control.get_by_test_id(test_id).click()
        return cast("float", await self.control.evaluate("window.benchClick"))


@asynccontextmanager
async def browser(place: Place, token: str) -> AsyncIterator[Browser]:
    """A signed-in control page and an overlay of the show, until the block ends.

    Raises:
        BenchError: `no_browser`, `refused`, `page_failed`.
    """
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        raise BenchError("no_browser", "Chromium is not installed (Debian: apt-get install chromium).")
    url = place.network.control_url
    try:
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=program, headless=True, args=[*FLAGS])
            control = await (await chromium.new_context()).new_page()
            await control.add_init_script(WATCH_CLICKS)
            await control.goto(await _sign_in_link(place, token))
            await control.get_by_test_id("panic").wait_for()
            overlay = await (await chromium.new_context(bypass_csp=True)).new_page()
            await overlay.add_init_script(LISTEN)
            await overlay.goto(f"{url}/overlay#key={_overlay_key(place)}")
            yield Browser(control, overlay)
            await chromium.close()
    except PlaywrightError as error:
        raise BenchError("page_failed", f"Chromium: {error.message.splitlines()[0]}") from None


async def _sign_in_link(place: Place, token: str) -> str:
    async with Door("127.0.0.1", place.network.control_port, token) as door:
        answer = await door.call("POST", "/auth/link")
    if answer.status != 201:
        raise BenchError("refused", f"No sign-in link: {answer.status} {answer.text[:200]}")
    return str(answer.json()["url"])


def _overlay_key(place: Place) -> str:
    return (place.home.secrets / "overlay_key").read_text(encoding="ascii").strip()
