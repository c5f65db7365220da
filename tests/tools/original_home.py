"""Makes a home as the original keeps it: a cache directory, and runs in Redis."""

import hashlib
import json
import struct
import sys
import uuid
import zlib
from datetime import datetime, timedelta
from pathlib import Path

import redis

home, url, files, runs = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
cache = home / "cache"
cache.mkdir(parents=True)
LINKS, RUNNING, FAILED = 10, 5, 7


def png(seed):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    size = 12
    rows = b"".join(
        b"\0" + bytes((seed * 31 + x * 7 + y * 13 + c * 5 + (seed >> 8)) % 256 for x in range(size) for c in range(3))
        for y in range(size)
    )
    text = chunk(b"tEXt", b"Comment\0" + str(seed).encode())
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + text + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


entries, hashes, nodes = {}, [], []
for index in range(files):
    node = hashlib.sha3_256(f"node {index}".encode()).hexdigest()
    directory = cache / node
    directory.mkdir()
    output = directory / "output.png"
    if index >= files - LINKS:
        # A source's output is a link to a file that is there already.
        target = cache / nodes[index - files + LINKS] / "output.png"
        output.symlink_to(target)
        content = target.read_bytes()
    else:
        content = png(index)
        output.write_bytes(content)
    entry = {
        "node_id": node,
        "output_path": f"/home/somebody/.artdag/cache/{node}/output.png",
        "created_at": 1767744000.5 + index,
        "size_bytes": len(content),
        "node_type": "SOURCE" if index >= files - LINKS else "EFFECT",
        "content_hash": hashlib.sha3_256(content).hexdigest(),
        "execution_time": 0.1,
    }
    (directory / "metadata.json").write_text(json.dumps(entry))
    entries[node] = entry
    nodes.append(node)
    hashes.append(entry["content_hash"])
(cache / "index.json").write_text(json.dumps({"entries": entries, "stats": {"hits": 1, "misses": 2}}))
(cache / "content_index.json").write_text(json.dumps({entry["content_hash"]: node for node, entry in entries.items()}))
(cache / "plans").mkdir()
(cache / "analysis").mkdir()

database = redis.Redis.from_url(url)
first = None
for index in range(runs):
    run = str(uuid.uuid4())
    status = "running" if index < RUNNING else "failed" if index < RUNNING + FAILED else "completed"
    created = datetime(2026, 1, 7) + timedelta(minutes=index)
    done = status == "completed"
    if done and first is None:
        first = (run, index)
    record = {
        "run_id": run,
        "status": status,
        "recipe": "dog",
        "inputs": [hashes[index + 1]],
        "output_name": f"old-{index}",
        "output_hash": hashes[index] if done else None,
        "created_at": created.isoformat(),
        "completed_at": None if status == "running" else (created + timedelta(seconds=3)).isoformat(),
        "error": "it broke" if status == "failed" else None,
        "celery_task_id": str(uuid.uuid4()),
        "username": "@giles@artdag.rose-ash.com",
    }
    database.set(f"artdag:run:{run}", json.dumps(record))
run, index = first
print(
    json.dumps(
        {
            "picture": hashes[index],
            "picture_file": str(cache / nodes[index] / "output.png"),
            "run": run,
            "nodes": nodes,
            "links": LINKS,
            "running": RUNNING,
        }
    )
)
