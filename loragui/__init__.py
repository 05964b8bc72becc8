"""loragui: from your own texts and chats to a finished LoRA in a merged GGUF file."""

__version__ = "0.1.0"
