"""``job NAME JSON``: one step of a plan that is our own Python, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from loragui.data.job import format_job
from loragui.engine.build import install_job as engine_install_job
from loragui.engine.ready import ready_job as engine_ready_job
from loragui.engine.sources import copy_job as engine_copy_job
from loragui.engine.sources import unpack_job as engine_unpack_job
from loragui.engine.timing import tune_job
from loragui.engine.tools.download import download_job
from loragui.engine.tools.unpack import unpack_job as tool_unpack_job
from loragui.jobs import packages, pyjob
from loragui.jobs.pyjob import Job
from loragui.model.convert import convert_job
from loragui.model.fetch import extract_job
from loragui.result.merge import check_job, finish_job

JOBS: Mapping[str, Job] = {
    "package-download": packages.download_job,
    "packages-install": packages.install_job,
    "tool-download": download_job,
    "tool-unpack": tool_unpack_job,
    "engine-unpack": engine_unpack_job,
    "engine-copy": engine_copy_job,
    "engine-install": engine_install_job,
    "engine-tune": tune_job,
    "engine-ready": engine_ready_job,
    "model-extract": extract_job,
    "model-convert": convert_job,
    "data-format": format_job,
    "merge-check": check_job,
    "merge-finish": finish_job,
}


def main(words: Sequence[str]) -> int:
    """Run the job named by the first word with the JSON arguments of the second; its exit code."""
    name, arguments = words
    return pyjob.run_job(JOBS[name], json.loads(arguments))
