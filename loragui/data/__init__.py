"""From a person's own files to training text: read, cut into samples that fit, write, report."""
