"""Twitch chat: lines and events in, replies out."""
