"""Lines whose answer was cut before anything of it was heard: nobody who wrote one is passed over because of that."""

from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.story import Story

_BY_SOMEBODYS_WORDS = ("spoken_over", "replaced")


def comes_again(job: Job, story: Story) -> bool:
    """Whether its answer is still due. Once: a line that is spoken over again has had its turn.

    Whoever spoke the line says it anew if it matters, and the operator sees at once what became of theirs.
    """
    return _unheard(story) and job.kind in ("chat", "thanks") and not (job.again or job.spoken)


def paid_and_lost(job: Job, story: Story) -> bool:
    """Whether a paid line was spoken over until the end: nothing of that may go without a word."""
    return bool(job.paid) and job.again and _unheard(story)


def _unheard(story: Story) -> bool:
    cut = story.outcome == "interrupted" and story.reason in _BY_SOMEBODYS_WORDS
    return cut and not story.heard_text
