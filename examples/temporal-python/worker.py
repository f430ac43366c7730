#!/usr/bin/env python3
"""A Temporal worker in Python whose workflow streams itself: it responds to the query `getStreamState`.

    python3 worker.py           serves the task queue `digests-python` until it is stopped

Needs the package `temporalio`. The address of Temporal is TEMPORAL_ADDRESS, by default 127.0.0.1:7233.
"""

import asyncio
import os
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

TASK_QUEUE = os.environ.get("TASK_QUEUE", "digests-python")


class StreamState:
    """The events of one workflow run. Create it first, so that the query is registered before anything waits."""

    def __init__(self) -> None:
        self._events: list[dict] = []
        self._status = "RUNNING"
        info = workflow.info()
        self.emit(
            "workflow_start",
            workflowId=info.workflow_id,
            workflowType=info.workflow_type,
            runId=info.run_id,
        )
        workflow.set_query_handler("getStreamState", self._page)

    def emit(self, event_type: str, **data: object) -> None:
        # The same event under the same id on every replay: no clock and no random numbers of the machine.
        event_id = len(self._events) + 1
        ts = workflow.now().isoformat()
        self._events.append({"id": event_id, "type": event_type, "ts": ts, "data": data})

    def status(self, step: str) -> None:
        self.emit("workflow_status", status=self._status, step=step)

    def complete(self, result: object) -> None:
        self._status = "SUCCESS"
        self.emit("complete", result=result)

    def _page(self, since: int = 0) -> dict:
        return {"events": self._events[since:], "status": self._status}


@activity.defn
async def research(topic: str) -> str:
    await asyncio.sleep(1)
    return f"{topic} have six legs"


@workflow.defn(name="digest")
class Digest:
    @workflow.run
    async def run(self, topic: str) -> str:
        stream = StreamState()
        stream.status("researching")
        stream.emit("task_start", taskId="research")
        fact = await workflow.execute_activity(research, topic, start_to_close_timeout=timedelta(minutes=1))
        stream.emit("task_status", taskId="research", status="SUCCESS")
        stream.complete(fact)
        return fact


async def main() -> None:
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"))
    worker = Worker(client, task_queue=TASK_QUEUE, workflows=[Digest], activities=[research])
    print(f"polling {TASK_QUEUE}", flush=True)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
