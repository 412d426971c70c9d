"""A small `vllm` command: a real process with a real socket, a child, and a log.

What it is told by its flags: `--loads S` seconds before it answers, `--thinks S` over each score,
`--fails` ends it at start, `--dies-after N` ends it with its N-th score.
"""

from __future__ import annotations

import sys
from pathlib import Path

SOURCE = r"""#!{python}
import json, os, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

words = sys.argv[1:]
flag = lambda name, other: words[words.index(name) + 1] if name in words else other
print("INFO loading", words[1], flush=True)
if "--fails" in words:
    print("ERROR \x1b[31mout of memory\n", flush=True)
    sys.exit(7)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open("started.txt", "a").write(json.dumps([os.getpid(), child.pid, words]) + "\n")
time.sleep(float(flag("--loads", "0.5")))
scored = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer({{"version": "0.32.0"}} if self.path == "/version" else {{}})

    def do_POST(self):
        global scored
        scored += 1
        open("asked.txt", "a").close()
        if scored == int(flag("--dies-after", "0")):
            print("ERROR device lost", flush=True)
            os._exit(9)
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(float(flag("--thinks", "0")))
        reward = float(len(body["messages"][-1]["content"]))
        row = {{"index": 0, "probs": [reward], "num_classes": 1}}
        self.answer({{"model": body["model"], "data": [row]}})

    def log_message(self, *more):
        pass


print("INFO listening", flush=True)
ThreadingHTTPServer((flag("--host", ""), int(flag("--port", "0"))), Handler).serve_forever()
"""


def install(folder: Path, name: str = "vllm") -> Path:
    """Write the command into a folder that is to stand on PATH."""
    folder.mkdir(exist_ok=True)
    command = folder / name
    command.write_text(SOURCE.format(python=sys.executable), "utf-8")
    command.chmod(0o755)
    return folder
