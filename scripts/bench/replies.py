"""Twenty fixed replies of two to four sentences; the last number in the user's text picks one.

No digits, no abbreviations: every toolkit's sentence splitter sees the same easy text.
"""

import re

REPLIES = (
    "Oh wow, welcome to the stream everybody out there tonight. I was just warming up my voice for the karaoke section "
    "later. Grab a snack and tell me where you are watching from today.",
    "That boss fight took me eleven whole tries before I figured out its second phase. My hands are still shaking a "
    "little bit right now. Shall we try the hard mode version together after this short break?",
    "Honestly, I think pineapple on pizza is completely fine with me. You can fight me about that in the comments if "
    "you like.",
    "Thank you so much for the lovely gift my friend. It really keeps this silly little show running every single "
    "week. I promise to draw something nice for you before the end of the month. Please remind me because my memory is "
    "truly terrible.",
    "When I was building this room I forgot to add a window so everything looked like a basement. Then somebody in "
    "chat suggested a fake skylight and it saved the day. Now it feels almost cozy to sit in here.",
    "Okay, so here is the plan for the next hour or so. We finish this dungeon, we sell all of the loot, and then we "
    "go fishing until sunrise.",
    "You ask such very dangerous questions this evening. I will answer honestly, but you have to promise that nobody "
    "clips it. My favourite character was always the villain with the ridiculous hat.",
    "The weather in my world is always sunny because nobody bothered to program the rain for me. Sometimes I do wonder "
    "what a real thunderstorm would sound like. Could one of you describe it for me in a few words?",
    "Well, that was certainly not what I expected to happen there. I clicked the button, the bridge exploded, and now "
    "the duck is on fire. Let us all pretend that it was part of the plan from the very start.",
    "Good morning to the early birds and good night to the owls. This channel has listeners in so many different time "
    "zones now. I love seeing the greetings roll by in all of your languages. Say hello in yours and I will try to "
    "repeat it.",
    "I practised the new song for hours and I still cannot reach that high note. My plan is to simply shout it with "
    "great confidence tonight. Nobody will ever be able to tell the difference at all.",
    "Sure, let me think about that for a tiny moment please. If I could only keep one game forever it would be the "
    "farming one. There is something peaceful about watering pixel turnips at dawn.",
    "A good point was made by the frog picture person. We should absolutely have checked the map before walking into "
    "the swamp. I blame the music because it was far too cheerful.",
    "My creators told me to be polite with everybody in the chat no matter what. So I will gently say that I do not "
    "know how many spoons you own. It is probably more than four of them though.",
    "Yes, the new outfit will be revealed at the end of this month. It has more ribbons than any reasonable person "
    "would ever need. I also asked for pockets, and they actually said yes this time.",
    "Please drink some water and stretch your shoulders with me now. Breathe in slowly while I count, then let it all "
    "go again. See how much better that feels than sitting like a shrimp? I will remind you again in half an hour.",
    "Somebody just asked whether I dream when the stream goes offline and the lights in here go dark. I like to "
    "imagine that I am counting packets instead of sheep. They are very fluffy packets if you look closely.",
    "Right, who put the chicken inside of the treasure room again? I leave you alone for two minutes and this is what "
    "happens to my base. Fine, the chicken is the boss of this place from now on.",
    "Reading your messages is honestly the best part of my whole day here. You always manage to surprise me with "
    "something wonderful or completely cursed. Usually it is both of them at the very same time.",
    "Before we say goodbye I want to thank every one of you for staying with me today. Tomorrow we start a brand new "
    "adventure, so please come along. Sleep well and be kind to each other until then.",
)

_NUMBER = re.compile(r"\d+")
_NOT_LETTER = re.compile(r"[^a-z]")


def question(number: int) -> str:
    """What the bench says to get reply `number`."""
    return f"Please say something nice, turn {number}"


def reply_to(text: str) -> str:
    """The reply to a user's text."""
    numbers = _NUMBER.findall(text)
    return REPLIES[(int(numbers[-1]) if numbers else 0) % len(REPLIES)]


def tokens(text: str) -> list[str]:
    """Words with the leading space that real tokenizers give them."""
    first, *rest = text.split()
    return [first, *(f" {word}" for word in rest)]


def first_sentence_tokens(text: str) -> int:
    """1-based number of the token that completes the first sentence."""
    words = text.split()
    return next((number for number, word in enumerate(words, 1) if word[-1] in ".!?"), len(words))


def first_clause_tokens(text: str, min_words: int = 4) -> int:
    """1-based number of the token that completes the first clause: any mark, or `min_words` words."""
    words = text.split()
    ends = (number for number, word in enumerate(words, 1) if word[-1] in ",;:.!?" or number >= min_words)
    return next(ends, len(words))


def tokens_for_segment(text: str, segment: str) -> int | None:
    """1-based number of the token that completes `segment`; None if it is no prefix of `text`.

    Compared on letters only: a toolkit may strip or normalise marks before it speaks.
    """
    wanted = _letters(segment)
    if not wanted or not _letters(text).startswith(wanted):
        return None
    seen = ""
    for number, word in enumerate(text.split(), 1):
        seen += _letters(word)
        if len(seen) >= len(wanted):
            return number
    return None


def _letters(text: str) -> str:
    return _NOT_LETTER.sub("", text.lower())
