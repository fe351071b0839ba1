"""From the bytes of a speech server to whole samples of PCM."""

import struct

from kitsu.errors import EngineError

_FORMAT = struct.Struct("<HHIIHH")  # format, channels, rate, bytes/s, block, bits
_PCM, _EXTENSIBLE = 1, 0xFFFE
_MAX_HEADER = 4096
_UNKNOWN_SIZE = 0x7FFF_0000  # servers that stream write 0 or about 2^31 or 2^32
_ENCODED = (b"ID3", b"OggS", b"fLaC")


class PcmStream:
    """Takes raw s16le mono or a WAV of it, cut anywhere; `rate_hz` is right once `feed` gave samples."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz  # of raw PCM; a WAV header overrules it
        self._rest = bytearray()
        self._header_done = False
        self._left: int | None = None  # bytes of a WAV's data chunk still to come

    def feed(self, data: bytes) -> bytes:
        """The whole samples in what came so far.

        Raises:
            EngineError: `voice_bad_audio`.
        """
        self._rest += data
        if not self._header_done and not self._skip_header():
            return b""
        usable = len(self._rest) - len(self._rest) % 2
        if self._left is not None:
            usable = min(usable, self._left)
            self._left -= usable
        pcm = bytes(self._rest[:usable])
        del self._rest[:usable]
        if self._left == 0:
            self._rest.clear()  # what follows the data chunk is no sound
        return pcm

    def _skip_header(self) -> bool:
        head = bytes(self._rest[:12])
        if len(head) < 4:
            return False
        if head.startswith(_ENCODED):
            raise _bad("the server sends encoded sound; Kitsu asked for PCM or WAV")
        if not head.startswith(b"RIFF"):
            self._header_done = True
            return True
        if len(head) < 12:
            return False
        if head[8:] != b"WAVE":
            raise _bad("RIFF, but no WAV")
        return self._read_chunks()

    def _read_chunks(self) -> bool:
        at, known = 12, False
        while len(self._rest) >= at + 8:
            name, size = bytes(self._rest[at : at + 4]), int.from_bytes(self._rest[at + 4 : at + 8], "little")
            at += 8
            if name == b"data":
                if not known:
                    raise _bad("WAV without a format")
                del self._rest[:at]
                self._left = None if size == 0 or size >= _UNKNOWN_SIZE else size - size % 2
                self._header_done = True
                return True
            if name == b"fmt " and len(self._rest) >= at + _FORMAT.size:
                self._read_format(at)
                known = True
            at += size + size % 2
            if at > _MAX_HEADER:
                raise _bad("WAV with an endless header")
        return False

    def _read_format(self, at: int) -> None:
        kind, channels, rate_hz, _, _, bits = _FORMAT.unpack_from(self._rest, at)
        if kind not in (_PCM, _EXTENSIBLE) or channels != 1 or bits != 16 or not 8_000 <= rate_hz <= 48_000:
            raise _bad(f"WAV of format {kind}, {channels} channels, {bits} bit, {rate_hz} Hz; wants 16-bit mono PCM")
        self.rate_hz = rate_hz


def _bad(message: str) -> EngineError:
    return EngineError("voice_bad_audio", message)
