import json
import uuid

from django import forms
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from client import FINAL
from grpcpool.v1.task_pb2 import TASK_STATE_SUCCEEDED, TaskState
from reports.pool import pool


class Order(forms.Form):
    id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)  # a form that is sent twice is one task
    rows = forms.IntegerField(min_value=1, max_value=1000, initial=50)


def order(request):
    """Submits a task, and answers at once with the page that follows it."""
    form = Order(request.POST or None)
    if request.method == "POST" and form.is_valid():
        payload = json.dumps({"rows": form.cleaned_data["rows"]}).encode()
        task = pool().submit("django.report", payload, id=str(form.cleaned_data["id"]), content_type="application/json", labels={"site": "reports"})
        return redirect("show", task.id)
    return render(request, "order.html", {"form": form})


def show(request, id):
    return render(request, "show.html", {"task": view_of(pool().get(id))})


def events(request, id):
    """Server-sent events, one for each change, until the task has ended."""
    pool().get(id)  # an unknown id is an error now, and not a page that waits
    changes = (event.task for event in pool().watch(ids=[id]) if event.HasField("task"))
    lines = (f"data: {json.dumps(view_of(task))}\n\n" for task in changes)
    return StreamingHttpResponse(lines, content_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


@require_POST
def cancel(request, id):
    pool().cancel(id, "by the visitor")
    return redirect("show", id)


def result(request, id):
    task = pool().get(id)
    if task.state != TASK_STATE_SUCCEEDED:
        raise Http404("There is no result yet.")
    return HttpResponse(task.result, content_type="text/csv")


def view_of(task):
    """What the page shows of a task."""
    state = TaskState.Name(task.state).removeprefix("TASK_STATE_").lower()
    about = task.failure.message or task.progress.message
    return {"id": task.id, "state": state, "fraction": task.progress.fraction, "message": about, "ended": task.state in FINAL}
