"""What is spoken into microphones, as the show sees it: turns, interruptions, commands.

`desk.py` takes the ears' messages. What is going on is an `Utterance`; `barge_in.py` says whether it silences her,
`own_voice.py` whether it was her own voice, `small_words.py` whether it means anything.
"""
