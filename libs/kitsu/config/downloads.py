"""Where voices and recognisers are downloaded from."""

from kitsu.config.sections import Section


class DownloadSettings(Section, frozen=True, kw_only=True):
    """Downloads of voices; nothing is downloaded unless asked for by name."""

    piper_url: str = "https://huggingface.co/rhasspy/piper-voices/resolve/main"  # the publisher of Piper's voices
    whisper_url: str = "https://huggingface.co/Systran"  # of the Whisper models
    mirror: str = ""  # empty: none; a folder or address with the same files, used instead
