"""Everything that the orchestrator is made of, from settings and files."""

import os
import secrets

from kitsu.characters import load_character
from kitsu.config import Home, NetworkSettings, PolicySettings, SafetySettings, ShowSettings, load, read_secret
from kitsu.protocol.approved import SEAL_KEY_BYTES
from kitsu.speech.pronunciation import load_pronunciation
from kitsu.speech.saying import Speaker
from kitsu_orchestrator.app import Orchestrator, Settings
from kitsu_orchestrator.config import ChatSettings, DeadAirSettings, IntakeSettings, TalkSettings, TurnSettings
from kitsu_orchestrator.own_lines import check_lines
from kitsu_orchestrator.rule_files import RuleFiles
from kitsu_orchestrator.rule_keeper import RuleKeeper
from kitsu_orchestrator.this_show import SHOW, ThisShow


def orchestrator(where: Home, network: NetworkSettings) -> Orchestrator:
    """Read the settings, the character and the rules, and put the show together.

    Raises:
        ConfigError: a setting, the character or one of her own lines cannot be used.
    """
    key, safety = secrets.token_bytes(SEAL_KEY_BYTES), load("safety", SafetySettings)
    settings = Settings(
        load("show", ShowSettings),
        load("turn", TurnSettings),
        load("intake", IntakeSettings),
        load("policy", PolicySettings),
        load("chat", ChatSettings),
        load("dead_air", DeadAirSettings),
        safety,
        load("talk", TalkSettings),
    )
    character = load_character(settings.show.character, where.configs / "characters")
    pronunciation = load_pronunciation(where.configs / "pronunciation.yaml")
    this_show = ThisShow(where.this_show_file, os.environ.get(SHOW, ""))
    files = RuleFiles(where.configs / "safety", where.own_words_file, safety)
    keeper = RuleKeeper.start(files, key, this_show.now_only)
    if keeper.shipped is not None:
        speaker = Speaker(character.language, pronunciation)
        check_lines(character, where.configs / "characters", keeper.shipped, speaker)
    return Orchestrator(
        where,
        settings,
        character,
        keeper.gate,
        key,
        read_secret(where.token_file),
        network.launcher_url,
        pronunciation,
        keeper,
        this_show,
    )
