"""From a fresh installation to a show that speaks: questions, settings, a try of every part."""
