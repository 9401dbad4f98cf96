"""The Pulumi program of this project; `components/program.py` has it."""

from components.program import run

run()
