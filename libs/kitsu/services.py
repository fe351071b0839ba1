"""The table of processes that make a show. A new worker costs one folder and one row here."""

from dataclasses import dataclass

from kitsu.protocol import Role


@dataclass(frozen=True, slots=True)
class Service:
    """One process."""

    name: str
    module: str  # started as `python -m <module>`
    role: Role | None  # its role on the hub; None: it is not a hub worker
    does: str  # one line for people
    without_it: str  # what the audience and the operator notice when it is gone
    wanted: str = ""  # "section.name" of what must be true for it to be started with the others; empty: always
    how_to: str = ""  # what makes it wanted, for people


SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service(
            "orchestrator",
            "kitsu_orchestrator",
            None,
            "hub, gate and turns",
            "Kitsu is silent; everything comes back by itself when it does",
        ),
        Service(
            "control",
            "kitsu_control",
            "control",
            "pages, sign-in, overlay",
            "no pages and no overlay sound; `kitsu panic` still works",
        ),
        Service("policy", "kitsu_policy", "policy", "the language model", "she answers with fallback lines"),
        Service("tts", "kitsu_tts", "tts", "the voice", "turns end as failed/voice_failed; nothing is heard"),
        Service("playout", "kitsu_playout", "playout", "the clock and the sound", "silence; turns end as failed"),
        Service(
            "obs",
            "kitsu_obs",
            "obs",
            "OBS Studio",
            "OBS stays as it is: no scenes, no safe scene on panic",
            "obs.wanted",
            "OBS's Tools, WebSocket Server Settings has a password; put it into .env as KITSU__OBS__PASSWORD,"
            " then: kitsu restart obs",
        ),
        Service(
            "vts",
            "kitsu_vts",
            "vts",
            "the body in VTube Studio",
            "the model in VTube Studio stands still; voice and pages go on",
            "vts.enabled",
            "set KITSU__VTS__ENABLED=true in .env, then: kitsu restart vts",
        ),
        Service(
            "asr",
            "kitsu_asr",
            "asr",
            "the ears",
            "nobody is heard; typed lines go on",
            "asr.enabled",
            "set KITSU__ASR__ENABLED=true in .env (kitsu devices lists microphones), then: kitsu restart asr",
        ),
        Service(
            "twitch",
            "kitsu_twitch",
            "twitch",
            "Twitch chat",
            "no line from Twitch, and no reply there",
            "twitch.wanted",
            "kitsu login twitch; or read only: KITSU__TWITCH__CHANNEL=NAME in .env, then: kitsu restart twitch",
        ),
    )
}

SECTIONS: dict[str, str] = {
    "network": "kitsu.config.sections:NetworkSettings",
    "logs": "kitsu.config.sections:LogSettings",
    "show": "kitsu.config.sections:ShowSettings",
    "policy": "kitsu.config.sections:PolicySettings",
    "turn": "kitsu_orchestrator.config:TurnSettings",
    "talk": "kitsu_orchestrator.config:TalkSettings",
    "intake": "kitsu_orchestrator.config:IntakeSettings",
    "chat": "kitsu_orchestrator.config:ChatSettings",
    "dead_air": "kitsu_orchestrator.config:DeadAirSettings",
    "safety": "kitsu.config.sections:SafetySettings",
    "tts": "kitsu_tts.config:TtsSettings",
    "asr": "kitsu_asr.config:AsrSettings",
    "playout": "kitsu_playout.config:PlayoutSettings",
    "obs": "kitsu_obs.config:ObsSettings",
    "vts": "kitsu_vts.config:VtsSettings",
    "twitch": "kitsu_twitch.config:TwitchSettings",
    "control": "kitsu_control.config:ControlSettings",
    "launcher": "kitsu_launcher.config:LauncherSettings",
    "downloads": "kitsu.config.downloads:DownloadSettings",
}
"""Sections of configs/kitsu.yaml and the struct that each is checked against."""
