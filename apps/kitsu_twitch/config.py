"""Settings of Twitch chat."""

from typing import Annotated, Literal

from msgspec import Meta

from kitsu.config import Section, home


class TwitchSettings(Section, frozen=True, kw_only=True):
    """Twitch chat."""

    mode: Literal["auto", "login", "anonymous", "off"] = "auto"  # auto: with the login, without one only reading
    channel: Annotated[str, Meta(pattern="^[A-Za-z0-9_]{0,25}$")] = ""  # whose chat; empty: the one who logged in
    client_id: Annotated[str, Meta(pattern="^[a-z0-9]{0,40}$")] = ""  # of your application at dev.twitch.tv/console
    ignored_bots: tuple[str, ...] = (
        "nightbot",
        "streamelements",
        "streamlabs",
        "moobot",
        "fossabot",
        "wizebot",
        "soundalerts",
        "sery_bot",
        "kofistreambot",
        "botrixoficial",
        "commanderroot",
        "own3d",
        "tangiabot",
        "pokemoncommunitygame",
        "blerp",
    )  # logins whose lines nobody reads
    helix_url: str = "https://api.twitch.tv/helix/"  # these four change for tests only
    id_url: str = "https://id.twitch.tv/"
    eventsub_url: str = "wss://eventsub.wss.twitch.tv/ws"
    irc_url: str = "wss://irc-ws.chat.twitch.tv:443"

    @property
    def wanted(self) -> bool:
        """Whether there is a chat to read."""
        somewhere = self.mode in ("login", "anonymous") or bool(self.channel) or home().twitch_file.is_file()
        return self.mode != "off" and somewhere
