"""A Piper voice of a few kilobytes, made for a test: a real ONNX graph that hums a pitch for each phoneme.

Its inputs, outputs and the one Ceil node (phoneme lengths) are those of Piper's exported VITS models, so the real
loader, the real phonemiser and the alignment patch all run.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

HOP = 256
FRAMES_PER_ID = 3
RATE_HZ = 22_050


def make(folder: Path, name: str = "en_US-test-low", *, espeak: str = "en-us", speakers: int = 1) -> Path:
    """Write `NAME.onnx` and `NAME.onnx.json`; returns the model's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    onnx.save(_model(speakers), str(path))
    config = {
        "audio": {"sample_rate": RATE_HZ},
        "espeak": {"voice": espeak},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "num_symbols": 256,
        "num_speakers": speakers,
        "speaker_id_map": {f"speaker{number}": number for number in range(speakers)} if speakers > 1 else {},
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "hop_length": HOP,
    }
    path.with_name(path.name + ".json").write_text(json.dumps(config), encoding="utf-8")
    return path


def _model(speakers: int) -> onnx.ModelProto:
    ids = 256
    hz = np.array([0.0 if number < 14 else 120.0 + 6 * number for number in range(ids)], np.float32)
    samples = FRAMES_PER_ID * HOP
    time = np.arange(samples, dtype=np.float32) / RATE_HZ * 2 * np.pi
    constants: dict[str, np.ndarray[Any, Any]] = {
        "hz": hz,
        "time": time.reshape(1, 1, samples),
        "frames": np.full(ids, FRAMES_PER_ID - 0.5, np.float32),
        "level": np.array([0.3], np.float32),
        "axis2": np.array([2], np.int64),
        "flat": np.array([1, 1, 1, -1], np.int64),
        "zero": np.array([0.0], np.float32),
        "speaker_hz": np.array([1.0 + 0.5 * number for number in range(max(1, speakers))], np.float32),
    }
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, ["b", "t"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ["b"]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    nodes = [
        helper.make_node("Gather", ["hz", "input"], ["pitch"]),
        helper.make_node("Gather", ["frames", "input"], ["w"]),
        helper.make_node("Ceil", ["w"], ["w_ceil"]),
        helper.make_node("Cast", ["input_lengths"], ["lengths"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["scales"], ["scale"], keepdims=0),
        helper.make_node("ReduceSum", ["lengths"], ["length"], keepdims=0),
        helper.make_node("Add", ["scale", "length"], ["both"]),
        helper.make_node("Mul", ["both", "zero"], ["nothing"]),  # keeps inputs that do not matter alive
        helper.make_node("Add", ["pitch", "nothing"], ["kept"]),
    ]
    last = "kept"
    if speakers > 1:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, ["b"]))
        nodes += [
            helper.make_node("Gather", ["speaker_hz", "sid"], ["factor"]),
            helper.make_node("Mul", ["kept", "factor"], ["pitched"]),
        ]
        last = "pitched"
    nodes += [
        helper.make_node("Unsqueeze", [last, "axis2"], ["column"]),
        helper.make_node("Mul", ["column", "time"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["wave"]),
        helper.make_node("Mul", ["wave", "level"], ["quiet"]),
        helper.make_node("Reshape", ["quiet", "flat"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "hum",
        inputs,
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "time"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
