"""Makes a tiny VITS model with random weights, by coqui's own code. Runs in coqui's Python, with a folder to fill."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "apps"))
from kitsu_tts.coqui_child import admit_coqui


def make(folder: Path) -> None:
    admit_coqui()
    import torch
    from TTS.config.shared_configs import BaseAudioConfig
    from TTS.tts.configs.vits_config import VitsArgs, VitsConfig
    from TTS.tts.models.vits import Vits

    torch.manual_seed(7)
    small = VitsArgs(
        num_chars=80,
        hidden_channels=16,
        hidden_channels_ffn_text_encoder=16,
        num_heads_text_encoder=1,
        num_layers_text_encoder=1,
        num_layers_flow=1,
        num_layers_posterior_encoder=1,
        upsample_initial_channel_decoder=16,
        use_sdp=False,
        init_discriminator=False,
    )
    config = VitsConfig(
        model_args=small,
        audio=BaseAudioConfig(sample_rate=22050),
        text_cleaner="basic_cleaners",
        use_phonemes=False,
    )
    model = Vits.init_from_config(config)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    (folder / "config.json").write_text(json.dumps(json.loads(config.to_json())))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
