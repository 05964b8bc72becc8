"""How an engine is built, as a plan: decided here, done by the runner.

A build happens in the workspace's cache and can be interrupted anywhere: downloads and compiled files are
kept, the next run goes on from them. The engine itself appears by one rename in the last step (see
``engine/build.py``), after it has shown that it can train.
"""

from __future__ import annotations

from loragui.engine.recipes.base import Build, engine_name
from loragui.engine.recipes.plan import KIND, build_plan, disk_missing, disk_needed, jobs_for, problems

__all__ = ["KIND", "Build", "build_plan", "disk_missing", "disk_needed", "engine_name", "jobs_for", "problems"]
