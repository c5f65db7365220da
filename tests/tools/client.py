"""What a stranger does with the generated client: upload, run, wait, download, clean up."""

import hashlib
import sys
import time

from artdag_client import AuthenticatedClient
from artdag_client.api.cache import get_blob, get_blob_info, upload_blob
from artdag_client.api.runs import get_run, list_runs, submit_run
from artdag_client.models import *  # noqa: F403
from artdag_client.types import File

url, picture = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token="", prefix="") if False else None
