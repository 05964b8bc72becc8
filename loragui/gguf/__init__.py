"""Reading and writing GGUF files with the standard library only, so that every room can use it."""
