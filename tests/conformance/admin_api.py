"""schemathesis drives the admin API from its own OpenAPI document. No answer may be a 5xx or undocumented.

usage: python tests/conformance/admin_api.py BINARY [EXAMPLES]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from door import HEAD, Origin, greenlight, service, silent

MORE = """
[services.NAME.release]
bake_time = "1s"
"""

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance"


def main(binary, examples="20"):
    binary = str(Path(binary).resolve())
    blue, green = Origin(silent), Origin(silent)
    configuration = HEAD + service("backend", blue.port, green.port, MORE)
    schemathesis = str(Path(sys.executable).with_name("schemathesis"))
    with greenlight(binary, configuration) as (_, admin), tempfile.TemporaryDirectory() as folder:
        # Without this, half of the requests would name services that do not exist.
        settings = Path(folder) / "schemathesis.toml"
        settings.write_text('parameters = { "path.service" = "backend" }\n')
        command = [
            schemathesis, "--config-file", str(settings), "run", f"http://127.0.0.1:{admin}/openapi.json", "--checks", CHECKS,
            "--max-examples", examples, "--seed", "1", "--request-timeout", "5", "--phases", "examples,coverage,fuzzing",
            # The stream of events has no end that schemathesis could wait for.
            "--exclude-path", "/v1/releases/{id}/events", "--no-color",
        ]
        status = subprocess.run(command, cwd=folder).returncode
    print(f"RESULT schemathesis: exit {status} with {examples} examples an operation")
    return status


sys.exit(main(*sys.argv[1:]))
