"""What a stranger does with the generated client: upload, run, wait, download."""

import sys
from pathlib import Path

from artdag_client import Client
from artdag_client.api.cache import get_blob, get_blob_info, upload_blob
from artdag_client.api.runs import get_run, list_runs, submit_run
from artdag_client.models import FileForm, Run
from artdag_client.types import File

url, picture = sys.argv[1:]
client = Client(base_url=url, raise_on_unexpected_status=True)

with Path(picture).open("rb") as file:
    form = FileForm(file=File(payload=file, file_name="picture.png", mime_type="image/png"))
    upload = upload_blob.sync(client=client, body=form, name="stranger")
assert upload.size == Path(picture).stat().st_size, upload

body = Run.from_dict({"recipe": "dog", "inputs": ["stranger"], "output_name": "by-python"})
run = submit_run.sync(client=client, body=body)
for _ in range(10_000):
    run = get_run.sync(run_id=run.run_id, client=client)
    if str(run.status) not in ("pending", "running"):
        break
assert str(run.status) == "completed", run
assert run.run_id in [listed.run_id for listed in list_runs.sync(client=client)]

# The generator knows no answer of any type; it hands over the bytes all the same.
output = get_blob.sync_detailed(hash_=run.output_hash, client=Client(base_url=url))
assert output.status_code == 200 and output.content.startswith(b"\x89PNG"), output
info = get_blob_info.sync(hash_=run.output_hash, client=client)
assert info.size == len(output.content) and not info.deletable, info
print("completed", run.output_hash)
