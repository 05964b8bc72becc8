"""How a LoRA is trained and what that takes: the guide's measured rows, and estimates."""
