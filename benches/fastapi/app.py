"""The shape of the original: FastAPI hands runs to Celery by Redis, and keeps each as JSON in Redis.

Two routes, a task that has nothing to do, and no durability: Redis is not told to sync.
"""

import json
import os
import uuid
from datetime import datetime, timezone

import redis
from celery import Celery
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

URL = os.environ["REDIS_URL"]
store = redis.Redis.from_url(URL)
celery = Celery("app", broker=URL, backend=URL)
app = FastAPI()


class Run(BaseModel):
    recipe: str
    inputs: list[str]
    output_name: str | None = None


def now() -> str:
    return datetime.now(timezone.utc).isoformat()


@celery.task(name="render")
def render(run_id: str) -> str:
    row = json.loads(store.get(f"run:{run_id}"))
    row.update(status="completed", output_hash="0" * 64, completed_at=now())
    store.set(f"run:{run_id}", json.dumps(row))
    store.incr("completed")
    return run_id


@app.post("/runs", status_code=201)
def create(run: Run) -> dict:
    run_id = str(uuid.uuid4())
    row = {"run_id": run_id, "status": "pending", "created_at": now(), **run.model_dump()}
    store.set(f"run:{run_id}", json.dumps(row))
    row["celery_task_id"] = render.delay(run_id).id
    store.set(f"run:{run_id}", json.dumps(row))
    return row


@app.get("/runs/{run_id}")
def show(run_id: str) -> dict:
    row = store.get(f"run:{run_id}")
    if row is None:
        raise HTTPException(404)
    return json.loads(row)
