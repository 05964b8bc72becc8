"""Start, watch, stop and resume a training; its checkpoints kept, verified and rotated."""
