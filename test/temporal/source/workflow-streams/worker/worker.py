"""A worker with temporalio.contrib.workflow_streams. Prints a line when it polls."""

import asyncio
import os
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from temporalio.contrib.workflow_streams import WorkflowStream, WorkflowStreamClient


@activity.defn
async def respond(topic: str) -> None:
    """Publishes the events of a response of OpenAI, as the plugin for OpenAI Agents does."""
    stream = WorkflowStreamClient.from_within_activity(batch_interval=timedelta(milliseconds=20))
    response = {"id": "r", "model": "stand-in", "status": "in_progress"}
    usage = {"input_tokens": 2, "output_tokens": 4, "total_tokens": 6}
    async with stream:
        events = stream.topic(topic)
        events.publish({"type": "response.created", "response": response})
        for delta in ["Hello ", "from ", "Python."]:
            events.publish(
                {"type": "response.output_text.delta", "output_index": 0, "item_id": "m", "delta": delta},
                force_flush=True,
            )
            await asyncio.sleep(0.05)
        completed = {**response, "status": "completed", "usage": usage}
        events.publish({"type": "response.completed", "response": completed})


@workflow.defn(name="responder")
class Responder:
    @workflow.init
    def __init__(self) -> None:
        self.stream = WorkflowStream()

    @workflow.run
    async def run(self) -> str:
        status = self.stream.topic("status")
        status.publish({"state": "started"})
        await workflow.execute_activity(respond, "tokens", start_to_close_timeout=timedelta(seconds=20))
        status.publish({"state": "done"})
        await asyncio.sleep(0.7)
        return "ok"


async def main() -> None:
    client = await Client.connect(os.environ["ADDRESS"])
    task_queue = os.environ["TASK_QUEUE"]
    worker = Worker(client, task_queue=task_queue, workflows=[Responder], activities=[respond])
    print(f"polling {task_queue}", flush=True)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
