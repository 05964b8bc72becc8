"""Get a working llama.cpp: known revisions, recipes to build them, installed engines, and the adapter to one."""
