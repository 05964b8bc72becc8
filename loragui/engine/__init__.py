"""Get a working llama.cpp: known revisions, recipes, installed engines, and the adapter."""
