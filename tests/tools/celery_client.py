"""What callers of the original do: its task, through Celery's own broker and result backend."""

import json
import sys
import time

from celery import Celery
from celery.exceptions import NotRegistered

url, mode, cat = sys.argv[1:]
app = Celery("caller", broker=url, backend=url)


@app.task(name="tasks.render_effect")
def render_effect(input_hash, effect_name, output_name):
    raise AssertionError("it is carried out elsewhere")


def refused(result, kind, says):
    try:
        got = result.get(timeout=60)
    except kind as error:
        assert says in str(error), error
    else:
        raise AssertionError(got)
    assert result.status == "FAILURE", result.status


assert mode == "calls"
sent = [
    app.send_task("tasks.render_effect", args=[cat, "dog", "by-place"]),
    app.send_task("tasks.render_effect", kwargs={"input_hash": cat, "effect_name": "invert", "output_name": "by-name"}),
    render_effect.delay(cat, "sepia", "by-delay"),
    render_effect.apply_async((cat, "effect:blur", "by-priority"), priority=9),
    app.send_task("jobs.draw", args=["pixelate", cat]),
]
begun = time.monotonic()
late = app.send_task("tasks.render_effect", args=[cat, "grayscale", "by-countdown"], countdown=2)
results = {result.id: result.get(timeout=60) for result in sent}
for result in sent:
    assert result.successful() and result.state == "SUCCESS", result.state
    assert result.date_done.tzinfo is not None, result.date_done
results[late.id] = late.get(timeout=60)
assert time.monotonic() - begun >= 2
refused(app.send_task("tasks.render_effect", args=[cat, "hound", "x"]), LookupError, "hound")
refused(app.send_task("tasks.render_effect", args=[cat]), TypeError, "effect_name")
refused(app.send_task("tasks.unknown", args=[cat]), NotRegistered, "tasks.unknown")
print(json.dumps(results))
