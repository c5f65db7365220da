"""Is this file CycloneDX 1.5, by the schema of those who made it? Prints what is wrong with it."""

import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

problem = JsonStrictValidator(SchemaVersion.V1_5).validate_str(pathlib.Path(sys.argv[1]).read_text())
if problem is not None:
    sys.exit(str(problem))
