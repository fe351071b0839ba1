"""A Whisper model in the publisher's format that always hears the same words: real files, 1 MB, no training.

Its decoder ignores what it hears: what its blocks give and the positions are zero, the embedding of each token of the
sentence is a one-hot vector, and the projection maps it to the token after it. Where the sentence begins in the prompt
does not matter, so everything around the network is real: features, hints, timestamps, words. With the shape of a
published model and random weights it takes the time that the published one takes for so many words, since the time of
a product of matrices does not depend on what is in them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import whisper_spec

Numbers = np.ndarray[Any, np.dtype[np.float32]]

WORDS = (" hello", " stream")
POSITIONS, FRAMES, MELS = 448, 1500, 80
LAST_S = 2.0
SPREAD = 0.02  # of random weights; large ones run over


@dataclass(frozen=True)
class Shape:
    """How large it is. `tokens`: of the vocabulary, at least; `random`: weights that are not zero."""

    layers: int = 1
    heads: int = 2
    dim: int = 32
    inner: int = 32
    tokens: int = 0
    random: bool = False


def published(layers: int, heads: int, dim: int) -> Shape:
    """As the published English models are made."""
    return Shape(layers, heads, dim, 4 * dim, 51_864, random=True)


PUBLISHED = {"tiny.en": published(4, 6, 384), "base.en": published(6, 8, 512), "small.en": published(12, 12, 768)}
SMALL = Shape()
_BYTES = [*range(33, 127), *range(161, 173), *range(174, 256)]  # byte-level BPE: these stand for themselves


def make(
    folder: Path, name: str = "canned", shape: Shape = SMALL, words: Sequence[str] = WORDS, last_s: float = LAST_S
) -> Path:
    """A model folder below `folder`. `words`: no word twice; `last_s`: when the last one ends, in steps of 20 ms."""
    where = folder / name
    where.mkdir(parents=True)
    tokens, merges = _vocabulary(words)
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
    special += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    times = [f"<|{n * 0.02:.2f}|>" for n in range(1501)]
    tokens += [f"<filler{n}>" for n in range(shape.tokens - len(tokens) - len(special) - len(times))]
    vocabulary = [*tokens, *special, *times]
    ids = {token: n for n, token in enumerate(vocabulary)}
    said = ["<|0.00|>", *(word.replace(" ", "Ġ") for word in words), f"<|{last_s:.2f}|>", "<|endoftext|>"]
    spec = _spec(shape, [ids[token] for token in ("<|startoftranscript|>", *said)], len(vocabulary))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [ids["<|endoftext|>"]]
    spec.config.lang_ids = []
    spec.config.alignment_heads = [(shape.layers - 1, 0)]
    spec.register_vocabulary(vocabulary)
    spec.validate()
    spec.save(str(where))
    (where / "preprocessor_config.json").write_text(json.dumps({"feature_size": MELS}))
    (where / "tokenizer.json").write_text(json.dumps(_tokenizer(tokens, merges, [*special, *times])))
    return where


def _vocabulary(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """All bytes, and what the words are merged from."""
    tokens = [_letter(byte) for byte in range(256)]
    merges = []
    for word in (*words, " -", " '"):
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


def _spec(shape: Shape, said: list[int], size: int) -> Any:
    """`said`: the sentence's tokens, beginning with the one that asks for it and ending with its end."""
    spec = whisper_spec.WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    encoder, decoder, dim = spec.encoder, spec.decoder, shape.dim
    encoder.conv1.weight, encoder.conv1.bias = _weights(shape, dim, MELS, 3), _zeros(dim)
    encoder.conv2.weight, encoder.conv2.bias = _weights(shape, dim, dim, 3), _zeros(dim)
    encoder.position_encodings.encodings = _noise(1, FRAMES, dim)
    after = range(len(said) - 1)
    known, wanted = _zeros(size, dim), _zeros(size, dim)
    known[:, len(said) - 1] = 1.0  # whatever else a lesser beam says is followed by the end
    known[said[:-1]] = 0.0
    known[said[:-1], after] = 1.0
    wanted[said[1:], after] = 8.0
    wanted[said[-1], len(said) - 1] = 8.0
    decoder.embeddings.weight, decoder.position_encodings.encodings = known, _zeros(POSITIONS, dim)
    decoder.projection.weight, decoder.projection.bias = wanted, _zeros(size)
    for part in (encoder, decoder):
        _norm(part.layer_norm, dim)
        for layer in part.layer:
            _layer(shape, layer, decodes=part is decoder)
    return spec


def _layer(shape: Shape, layer: Any, *, decodes: bool) -> None:
    dim = shape.dim
    _attention(shape, layer.self_attention, (3 * dim, dim), decodes=decodes)
    if decodes:
        _attention(shape, layer.attention, (dim, 2 * dim, dim), decodes=True)
        for place, linear in enumerate(layer.attention.linear[:2]):  # when words were said is read off here
            linear.weight = _noise(2 + place, *linear.weight.shape) * np.float32(shape.dim**-0.5)
    _norm(layer.ffn.layer_norm, dim)
    _linear(shape, layer.ffn.linear_0, shape.inner, dim)
    _linear(shape, layer.ffn.linear_1, dim, shape.inner, gives_nothing=decodes)


def _attention(shape: Shape, attention: Any, sizes: tuple[int, ...], *, decodes: bool) -> None:
    _norm(attention.layer_norm, shape.dim)
    for linear, size in zip(attention.linear, sizes, strict=True):
        _linear(shape, linear, size, shape.dim, gives_nothing=decodes and linear is attention.linear[-1])


def _linear(shape: Shape, linear: Any, out: int, into: int, *, gives_nothing: bool = False) -> None:
    """`gives_nothing`: the block's last step, after which only the position is left."""
    linear.weight = _zeros(out, into) if gives_nothing else _weights(shape, out, into)
    linear.bias = _zeros(out)


def _norm(norm: Any, dim: int) -> None:
    norm.gamma, norm.beta = np.ones(dim, np.float32), _zeros(dim)


def _weights(shape: Shape, *sizes: int) -> Numbers:
    return _noise(5, *sizes) * np.float32(SPREAD) if shape.random else _zeros(*sizes)


def _noise(seed: int, *sizes: int) -> Numbers:
    return np.random.default_rng(seed).standard_normal(sizes, np.float32)


def _zeros(*sizes: int) -> Numbers:
    return np.zeros(sizes, np.float32)
