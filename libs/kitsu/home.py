"""Where things are. The only place that knows. Standard library only: installers and `kitsu panic` import it too."""

import os
from dataclasses import dataclass
from pathlib import Path

from kitsu.errors import ConfigError

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Home:
    """Folders of one installation. Everything that is written lies under `root` (logs may be moved on their own)."""

    root: Path
    logs: Path
    configs: Path  # read-only seeds

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def turns(self) -> Path:
        return self.artifacts / "turns"

    @property
    def voice_cache(self) -> Path:
        return self.artifacts / "tts"

    @property
    def piper_voices(self) -> Path:
        """`NAME.onnx` and `NAME.onnx.json`, as their publisher names them."""
        return self.root / "models" / "piper"

    @property
    def whisper_models(self) -> Path:
        """A folder a model, as its publisher makes it."""
        return self.root / "models" / "whisper"

    @property
    def coqui(self) -> Path:
        """The Python environment of the coqui voice, and its models."""
        return self.root / "engines" / "coqui"

    @property
    def token_file(self) -> Path:
        return self.secrets / "token"

    @property
    def twitch_file(self) -> Path:
        """The login at Twitch."""
        return self.secrets / "twitch.json"

    @property
    def lock_file(self) -> Path:
        """Locked by the launcher for as long as it lives."""
        return self.data / "launcher.lock"

    @property
    def running_file(self) -> Path:
        """What the launcher that runs now says about itself: process ids and addresses."""
        return self.data / "launcher.json"

    @property
    def panic_file(self) -> Path:
        """The latch that makes a panicked show come back panicked."""
        return self.data / "panic.json"

    @property
    def own_words_file(self) -> Path:
        """What the operator blocks and allows."""
        return self.data / "safety.yaml"

    @property
    def this_show_file(self) -> Path:
        """What a crash of the orchestrator must not forget, and the end of the show must."""
        return self.data / "this_show.json"

    @property
    def env_file(self) -> Path:
        return self.root / ".env"

    @property
    def settings_file(self) -> Path:
        """A file of one's own in home wins over the checkout's."""
        own = self.root / "configs" / "kitsu.yaml"
        return own if own.is_file() else self.configs / "kitsu.yaml"

    def make(self) -> None:
        """Create the folders; secrets readable by the owner only.

        Raises:
            ConfigError: `home_not_writable`.
        """
        try:
            for folder in (self.data, self.artifacts, self.turns, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
            self.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                "home_not_writable",
                f"Kitsu cannot write to {self.root} ({error.strerror}). Set KITSU_HOME to a folder that you own.",
            ) from None


def home() -> Home:
    """This installation's folders: `KITSU_HOME` (default: the checkout), `KITSU_LOG_ROOT`, `KITSU_CONFIGS`."""
    root = Path(os.environ.get("KITSU_HOME") or CHECKOUT).expanduser().absolute()
    logs = Path(os.environ.get("KITSU_LOG_ROOT") or root / "logs").expanduser().absolute()
    configs = Path(os.environ.get("KITSU_CONFIGS") or CHECKOUT / "configs").expanduser().absolute()
    return Home(root=root, logs=logs, configs=configs)
