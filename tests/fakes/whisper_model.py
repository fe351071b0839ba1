"""A Whisper model in the publisher's format that always hears the same words: real files, 1 MB, no training.

Its decoder ignores what it hears: what its blocks give and the positions are zero, the embedding of each token of the
sentence is a one-hot vector, and the projection maps it to the token after it. Where the sentence begins in the prompt
does not matter, so everything around the network is real: features, hints, timestamps, words.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import whisper_spec

WORDS = (" hello", " stream")
DIM, FFN, POSITIONS, FRAMES, MELS = 32, 32, 448, 1500, 80
LAST_S = 2.0
_BYTES = [*range(33, 127), *range(161, 173), *range(174, 256)]  # byte-level BPE: these stand for themselves


def make(folder: Path, name: str = "canned") -> Path:
    """A model folder below `folder`."""
    where = folder / name
    where.mkdir(parents=True)
    tokens, merges = _vocabulary()
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
    special += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    times = [f"<|{n * 0.02:.2f}|>" for n in range(1501)]
    vocabulary = [*tokens, *special, *times]
    ids = {token: n for n, token in enumerate(vocabulary)}
    said = ["<|0.00|>", *(word.replace(" ", "Ġ") for word in WORDS), f"<|{LAST_S:.2f}|>", "<|endoftext|>"]
    spec = _spec([ids[token] for token in ("<|startoftranscript|>", *said)], len(vocabulary))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [ids["<|endoftext|>"]]
    spec.config.lang_ids = []
    spec.config.alignment_heads = [(0, 0)]
    spec.register_vocabulary(vocabulary)
    spec.validate()
    spec.save(str(where))
    (where / "preprocessor_config.json").write_text(json.dumps({"feature_size": MELS}))
    (where / "tokenizer.json").write_text(json.dumps(_tokenizer(tokens, merges, [*special, *times])))
    return where


def _vocabulary() -> tuple[list[str], list[str]]:
    """All bytes, and what the words are merged from."""
    tokens = [_letter(byte) for byte in range(256)]
    merges = []
    for word in (*WORDS, " -", " '"):
        letters = list(word.replace(" ", "Ġ"))
        while len(letters) > 1:
            merges.append(f"{letters[0]} {letters[1]}")
            letters[:2] = [letters[0] + letters[1]]
            if letters[0] not in tokens:
                tokens.append(letters[0])
    return tokens, list(dict.fromkeys(merges))


def _letter(byte: int) -> str:
    if byte in _BYTES:
        return chr(byte)
    return chr(256 + [n for n in range(256) if n not in _BYTES].index(byte))


def _tokenizer(tokens: list[str], merges: list[str], special: list[str]) -> dict[str, Any]:
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    added = [
        {
            "id": len(tokens) + n,
            "content": token,
            "special": True,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
        for n, token in enumerate(special)
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "vocab": {token: n for n, token in enumerate(tokens)},
            "merges": merges,
        },
    }


def _spec(said: list[int], size: int) -> Any:
    """`said`: the sentence's tokens, beginning with the one that asks for it."""
    spec = whisper_spec.WhisperSpec(1, 2, 1, 2)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = _zeros(DIM, MELS, 3), _zeros(DIM)
    encoder.conv2.weight, encoder.conv2.bias = _zeros(DIM, DIM, 3), _zeros(DIM)
    encoder.position_encodings.encodings = _noise(1, FRAMES, DIM)
    known = _zeros(size, DIM)
    known[said[:-1], range(len(said) - 1)] = 1.0
    decoder.embeddings.weight = known
    decoder.position_encodings.encodings = _zeros(POSITIONS, DIM)
    wanted = _zeros(size, DIM)
    wanted[said[1:], range(len(said) - 1)] = 8.0
    decoder.projection.weight, decoder.projection.bias = wanted, _zeros(size)
    for part in (encoder, decoder):
        _norm(part.layer_norm)
        for layer in part.layer:
            _attention(layer.self_attention, (3 * DIM, DIM))
            if part is decoder:
                _attention(layer.attention, (DIM, 2 * DIM, DIM))
                for part_of, linear in enumerate(layer.attention.linear[:2]):  # when words were said is read off here
                    linear.weight = _noise(2 + part_of, *linear.weight.shape)
            _norm(layer.ffn.layer_norm)
            _linear(layer.ffn.linear_0, FFN, DIM)
            _linear(layer.ffn.linear_1, DIM, FFN)
    return spec


def _attention(attention: Any, sizes: tuple[int, ...]) -> None:
    _norm(attention.layer_norm)
    for linear, size in zip(attention.linear, sizes, strict=True):
        _linear(linear, size, DIM)


def _linear(linear: Any, out: int, into: int) -> None:
    linear.weight, linear.bias = _zeros(out, into), _zeros(out)


def _norm(norm: Any) -> None:
    norm.gamma, norm.beta = np.ones(DIM, np.float32), _zeros(DIM)


def _noise(seed: int, *shape: int) -> "np.ndarray[Any, np.dtype[np.float32]]":
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _zeros(*shape: int) -> "np.ndarray[Any, np.dtype[np.float32]]":
    return np.zeros(shape, np.float32)
