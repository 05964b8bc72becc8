"""The window: shows and edits, decides nothing. The only room that knows Qt."""
