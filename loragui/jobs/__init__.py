"""Plans, events and the runner that executes a plan in a run folder. Nothing here knows about LoRAs."""
