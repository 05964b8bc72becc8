"""The PC, looked at once and then a frozen value: what it has, what that means, what to warn about.

``facts`` holds the value, ``look`` fills it, ``cpu`` and ``gpu`` read what each system writes, ``workspace``
judges the folder that everything goes into, ``doctor`` says it all in words.
"""

from loragui.machine.doctor import doctor_lines, doctor_rows, to_json
from loragui.machine.facts import Disk, Gpu, Machine, recommended_threads
from loragui.machine.look import cpu_name, look, ram
from loragui.machine.workspace import existing_parent, judge_workspace, workspace_problems

__all__ = [
    "Disk",
    "Gpu",
    "Machine",
    "cpu_name",
    "doctor_lines",
    "doctor_rows",
    "existing_parent",
    "judge_workspace",
    "look",
    "ram",
    "recommended_threads",
    "to_json",
    "workspace_problems",
]
