"""The whole show with a real OBS: scenes by command, panic on both, a hub that is killed and one that is restarted."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.launched import LaunchedShow, launched, until
from tests.fakes.obs_studio import ObsStudio, furnish, need_obs, obs_studio

SAFE = "Kitsu Safe"


@pytest.fixture
async def obs(tmp_path: Path) -> AsyncIterator[ObsStudio]:
    need_obs()
    async with obs_studio(tmp_path / "obs") as studio:
        await furnish(studio)
        yield studio


def settings(obs: ObsStudio, **more: str) -> dict[str, str]:
    return {"KITSU__OBS__PORT": str(obs.port), "KITSU__OBS__PASSWORD": obs.password, **more}


def connected(show: LaunchedShow) -> None:
    until(lambda: show.call("GET", "/obs")["connected"])


def exit_state(exits: list[dict[str, Any]]) -> str:
    return next(str(row["state"]) for row in exits if row["exit"] == "obs")


async def test_scenes_and_panic_from_the_command_line(obs: ObsStudio, tmp_path: Path) -> None:
    with launched(tmp_path / "home", **settings(obs)) as show:
        connected(show)
        async with obs.witness() as witness:
            done = show.kitsu("obs", "scene", "gaming")
            assert done.returncode == 0, done.stderr
            assert "CurrentProgramSceneChanged" in done.stdout
            assert await witness.scene() == "Gaming"
            wrong = show.kitsu("obs", "scene", "Gamimg")
            assert (wrong.returncode, "Did you mean 'Gaming'?" in wrong.stderr) == (7, True)
            assert json.loads(show.kitsu("obs", "--json").stdout)["scene"] == "Gaming"
            assert "Gaming; others: Scene, Just Chatting" in show.kitsu("status").stdout
            plan = json.loads(show.kitsu("obs", "setup", "--dry-run", "--json").stdout)
            assert {step["state"] for step in plan["steps"]} == {"planned", "already", "skipped"}
            assert show.kitsu("obs", "setup", "--yes").returncode == 0
            assert show.kitsu("obs", "setup", "--yes").stdout.rstrip().endswith("everything that Kitsu needs.")

            panicked = show.call("POST", "/control/panic")
            row = next(row for row in panicked["exits"] if row["exit"] == "obs")
            assert row["state"] == "confirmed"
            assert row["detail"].startswith(SAFE)
            assert await witness.scene() == SAFE
            refused = show.call("POST", "/obs/scene", {"scene": "Gaming"})
            assert refused["error"]["code"] == "obs_held"
            assert show.kitsu("resume").returncode == 0
            until(lambda: show.call("GET", "/obs")["scene"] == "Gaming")
            assert await witness.scene() == "Gaming"

        obs.freeze()
        until(lambda: not show.call("GET", "/obs")["connected"], 2.0)
        pressed = show.call("POST", "/control/panic")
        assert exit_state(pressed["exits"]) == "late"
        obs.thaw()
        until(lambda: exit_state(show.call("GET", "/status")["confirmed"]) == "confirmed")
        assert show.kitsu("obs", "reset").returncode == 0


async def test_a_killed_hub_and_a_restarted_one(obs: ObsStudio, tmp_path: Path) -> None:
    with launched(tmp_path / "home", **settings(obs, KITSU__OBS__HUB_GRACE_S="0.2")) as show:
        connected(show)
        async with obs.witness() as witness:
            assert show.kitsu("restart", "orchestrator").returncode == 0
            connected(show)
            assert show.call("GET", "/obs")["held"] == ""
            assert await witness.scene() == "Scene"
            psutil.Process(show.services()["orchestrator"]["pid"]).kill()
            await witness.saw("CurrentProgramSceneChanged", sceneName=SAFE)
            show.wait_ready()
            until(lambda: show.call("GET", "/obs")["held"] == "alone")
            assert "kitsu obs restore" in show.kitsu("status").stdout
            assert show.kitsu("obs", "restore").returncode == 0
            await witness.saw("CurrentProgramSceneChanged", sceneName="Scene")


async def test_a_show_without_obs_is_healthy(tmp_path: Path) -> None:
    with launched(tmp_path / "home") as show:
        row = show.services()["obs"]
        assert (row["state"], row["pid"]) == ("off", None), "what nobody asked for costs no process"
        assert "not configured" in row["reason"]
        assert show.kitsu("status").returncode == show.kitsu("start").returncode == 0
        assert show.services()["obs"]["pid"] is None
        assert show.call("POST", "/obs/scene", {"scene": "x"})["error"]["code"] == "obs_not_configured"
        assert "obs" not in [row["exit"] for row in show.call("POST", "/control/panic")["exits"]]
        assert show.kitsu("start", "obs").returncode == 0
        assert show.services()["obs"]["state"] == "ok", "it runs when told to, and says that it has no password"
