#!/usr/bin/env python3
"""A worker in Python that streams a text to execstream over HTTP, using only the standard library.

    python3 worker.py ID            publishes the text and ends the execution
    python3 worker.py ID --die      exits in the middle, like a worker that crashes

If you run it again with the same ID, it begins a new attempt: viewers get a `reset`, then the text from its start.
"""

import argparse
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

TEXT = (
    "Workers die. Some run out of memory, some are moved to another machine, some hit a bug.\n"
    "Whatever they have published is then void, and the next attempt publishes it again: "
    "viewers start over and end up with this text, once.\n"
)


class Execution:
    """One attempt of an execution: begun with PUT, published in batches with POST."""

    def __init__(self, server: str, kind: str, execution_id: str, **begin):
        quoted = urllib.parse.quote(execution_id, safe="")
        self.url = f"{server}/api/v0/executions/{kind}/{quoted}"
        begun = self._send("PUT", self.url, begin)
        self.token = begun["token"]
        self.attempt = begun["attempt"]
        self.head = begun["head"]

    def publish(self, *events: dict) -> int:
        """Appends a batch and returns the seq of its last event.

        The key identifies the batch, so a batch that is sent again because its response was lost is appended once.
        """
        headers = {
            "Publisher-Token": self.token,
            "Publisher-Head": str(self.head),
            "Idempotency-Key": str(uuid.uuid4()),
        }
        self.head = self._send("POST", f"{self.url}/events", {"events": events}, headers)["head"]
        return self.head

    def _send(self, method: str, url: str, body: dict, headers: dict | None = None) -> dict:
        """Sends a request, and retries it if the server is unavailable (503) or the rate limit is hit (429)."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        for delay in (0.2, 0.5, 1, 2, 5, 5, 5):
            request = urllib.request.Request(url, data=data, headers=headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=10) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                problem = json.load(error)
                if error.code not in (429, 503):
                    raise SystemExit(f"{problem['code']}: {problem['detail']}") from error
                delay = float(error.headers.get("Retry-After") or delay)
            except OSError:
                pass  # Unreachable: retry.
            time.sleep(delay)
        raise SystemExit(f"{url} is unreachable")


def pieces(text: str, size: int = 8):
    """Splits a text into chunks of about the size of a model's tokens."""
    for start in range(0, len(text), size):
        yield text[start : start + size]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("id")
    parser.add_argument("--die", action="store_true", help="exit in the middle")
    parser.add_argument("--server", default=os.environ.get("EXECSTREAM_URL", "http://localhost:4000"))
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between chunks")
    arguments = parser.parse_args()

    execution = Execution(arguments.server, "agents", arguments.id, mode="TEXT", agentId="python")
    print(f"attempt {execution.attempt}: {execution.url}/stream", flush=True)
    for number, piece in enumerate(pieces(TEXT)):
        if arguments.die and number == 12:
            print("dying", flush=True)
            os._exit(1)
        execution.publish({"type": "llm_chunk", "data": {"content": piece}})
        time.sleep(arguments.pause)
    usage = {"inputTokens": 12, "outputTokens": 60, "totalTokens": 72}
    head = execution.publish({"type": "complete", "data": {"usage": usage}})
    print(f"ended at {head}", flush=True)


if __name__ == "__main__":
    main()
