"""The base model: read what it is, judge it against an engine, get it, convert it into a copy that trains."""
