"""The ears: microphones in, words out."""
