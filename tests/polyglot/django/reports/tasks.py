"""What the worker executes."""

import json


def report(attempt):
    """A table with as many rows as were ordered, each of which takes its time."""
    rows = json.loads(attempt.task.payload)["rows"]
    lines = ["number,square"]
    for row in range(1, rows + 1):
        if attempt.stopped.wait(0.05):
            raise RuntimeError(f"stopped at row {row}")
        lines.append(f"{row},{row * row}")
        attempt.progress(row / rows, f"row {row} of {rows}")
    return "\n".join(lines).encode()


HANDLERS = {"django.report": report}
