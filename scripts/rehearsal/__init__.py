"""The parts of scripts/dry_run.py: a show on a real OBS, a fake Twitch and a fake VTube Studio, and what its chat does.

from rehearsal.acts import PLAY
async with stage(folder) as show:
    rows = await rehearse(show, PLAY)
"""
