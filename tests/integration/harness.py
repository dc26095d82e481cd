"""Starts what a test needs: a Kafka broker, an S3 server, the service; and waits for conditions."""
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import time

import oracle
import snapshot
import topics
from botocore.exceptions import ClientError
from ledger import Ledger

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUPPORT = pathlib.Path(os.environ.get("TIDEMARK_TEST_SUPPORT", ROOT / "tests/support"))
BINARY = pathlib.Path(os.environ.get("TIDEMARK_BINARY", ROOT / "build/dev/src/tidemark"))
PRODUCER = BINARY.parent.parent / "bench/produce"
CRASH_STEPS = ("closed", "sealed", "planned", "attempt-uploaded", "staged", "committed", "manifest-put",
               "pointer-swapped", "published", "cleaned")
# A loaded machine is slow; nothing here waits longer than it must.
PATIENCE = float(os.environ.get("TIDEMARK_TEST_PATIENCE", "60"))


def wait_for(condition, what, timeout=None, every=0.1):
    """Polls until `condition()` is true and returns its value."""
    end = time.monotonic() + (timeout or PATIENCE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for: {what}")
        time.sleep(every)


# what the oracle finds while the service still publishes or deletes; it must be gone a little later
SOON = ("objects that nobody names", "the head is", "nobody committed", "is missing", "no pointer", "Not Found", "no sidecar",
        "no order object", "snapshots are kept")


def check_clean(check, turn=lambda: None, timeout=None):
    """The oracle, when all is published and clean-up has left nothing over. `turn` is called again and again."""
    end = time.monotonic() + (timeout or PATIENCE)
    while True:
        try:
            return check(clean=True)
        except (oracle.Broken, LookupError, ClientError) as broken:
            soon = any(text in str(broken) for text in SOON)
            if not soon or time.monotonic() > end:
                raise
        turn()
        time.sleep(0.3)


class Server:
    """A server that a script of tests/support starts and stops."""
    script = None

    def __init__(self, folder, environment):
        self.folder = str(folder)
        self.environment = {**os.environ, **environment}
        self.variables = {}

    def call(self, command, *arguments, check=True):
        # output to a file: a server that inherits a pipe would keep it open
        log = pathlib.Path(self.folder + ".out")
        with open(log, "w+") as out:
            result = subprocess.run([str(SUPPORT / self.script), command, self.folder, *map(str, arguments)],
                                    env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        text = log.read_text()
        if check and result.returncode != 0:
            raise RuntimeError(f"{self.script} {command}: {text}")
        return text

    def start(self, *arguments):
        self.call("start", *arguments)
        for word in shlex.split(self.call("env")):
            name, _, value = word.partition("=")
            self.variables[name] = value
        return self

    def stop(self):
        self.call("stop", check=False)


class Kafka(Server):
    script = "kafka.sh"

    def __init__(self, folder, lanes=0):
        # it ends with this process, however that ends
        super().__init__(folder, {"KAFKA_OWNER": str(os.getpid()), "KAFKA_LANES": str(lanes)})

    @property
    def bootstrap(self):
        return self.variables["KAFKA_BOOTSTRAP"]


class S3(Server):
    script = "s3.sh"

    def __init__(self, folder):
        super().__init__(folder, {"S3_OWNER": str(os.getpid())})

    @property
    def endpoint(self):
        return self.variables["AWS_ENDPOINT_URL"]

    def halt(self):
        """Gone, by kill -9 or not at all polite; its data stay."""
        self.call("stop", check=False)

    def go_on(self):
        """Again, where it was."""
        self.environment["S3_PORT"] = self.endpoint.rpartition(":")[2]
        self.call("start", "versitygw")

    @property
    def credentials(self):
        return {name: value for name, value in self.variables.items() if name.startswith("AWS_ACCESS") or name.startswith("AWS_SECRET")}


def client_version():
    """Of librdkafka; it tells topics' ids from 2.3 on."""
    said = subprocess.run([str(BINARY), "version"], check=True, capture_output=True, text=True).stdout
    return tuple(int(n) for n in re.search(r"librdkafka (\d+)\.(\d+)\.(\d+)", said).groups())


# ---- settings -------------------------------------------------------------------------------------

def libconfig(value, indent=0):
    """A Python value as libconfig text."""
    pad = "  " * indent
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}L" if abs(value) > 2**31 - 1 else str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        body = "".join(f"{pad}  {name} = {libconfig(v, indent + 1)};\n" for name, v in value.items())
        return "{\n" + body + pad + "}"
    return "( " + ", ".join(libconfig(v, indent) for v in value) + " )"


def merge(base, change):
    out = dict(base)
    for name, value in change.items():
        out[name] = merge(out[name], value) if isinstance(value, dict) and isinstance(out.get(name), dict) else value
    return {name: value for name, value in out.items() if value is not None}


# ---- the service ----------------------------------------------------------------------------------

class Failed(AssertionError):
    pass


class Process:
    """One running `tidemark`, with its output in a file."""

    def __init__(self, arguments, log, environment):
        self.log = pathlib.Path(log)
        with open(self.log, "a") as out:
            out.write(f"--- {' '.join(arguments)}\n")
            out.flush()
            self.start_of_log = out.tell()
            self.popen = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                          env=environment)

    def output(self):
        with open(self.log, errors="replace") as file:
            file.seek(self.start_of_log)
            return file.read()

    def is_running(self):
        return self.popen.poll() is None

    def kill(self):
        self.popen.kill()
        return self.popen.wait()

    def signal(self, number):
        self.popen.send_signal(number)

    def stop(self, timeout=None):
        """SIGTERM; the exit code."""
        if self.is_running():
            self.popen.terminate()
        return self.wait(timeout)

    def wait(self, timeout=None):
        try:
            return self.popen.wait(timeout or PATIENCE)
        except subprocess.TimeoutExpired:
            self.popen.send_signal(signal.SIGABRT)
            self.popen.wait()
            raise Failed(f"it did not end:\n{self.output()[-3000:]}") from None

    def wait_for(self, condition, what, timeout=None):
        def step():
            value = condition()
            if not value and not self.is_running():
                raise Failed(f"it ended with {self.popen.returncode} before: {what}\n{self.output()[-3000:]}")
            return value
        try:
            return wait_for(step, what, timeout)
        except TimeoutError as error:
            raise Failed(f"{error}\n{self.output()[-3000:]}") from None

    def wait_for_text(self, text, timeout=None):
        return self.wait_for(lambda: text in self.output(), f"{text!r} in the output", timeout)


class Job:
    """One group with its settings, store and work folder."""

    def __init__(self, folder, kafka, settings, s3=None, name="job"):
        self.folder = pathlib.Path(folder)
        self.kafka = kafka
        self.name = name
        self.environment = {**os.environ, **(s3.credentials if s3 else {})}
        for sanitizer in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            self.environment.setdefault(sanitizer, "halt_on_error=1:abort_on_error=1:print_stacktrace=1")
        self.settings = settings
        self.processes = []

    @property
    def file(self):
        return self.folder / f"{self.name}.cfg"

    def write(self, **change):
        self.settings = merge(self.settings, change)
        text = "".join(f"{name} = {libconfig(value)};\n" for name, value in self.settings.items())
        # another member of the group may be reading it
        part = self.file.with_suffix(".part")
        part.write_text(text)
        return part.rename(self.file)

    # ---- running ----

    def start(self, *arguments, env=None, member=None):
        """`tidemark run` in the background."""
        return self.spawn("run", *arguments, env=env, member=member)

    def spawn(self, command, *arguments, env=None, member=None):
        """Any command in the background. `member`: another member of the same group."""
        self.write()
        more = []
        if member:
            more = ["--set", f"member_id={member}", "--set", f"limits.work_folder={self.folder}/work-{member}"]
        process = Process([str(BINARY), command, "-c", str(self.file), *more, *arguments],
                          self.folder / f"{member or self.name}.log", {**self.environment, **(env or {})})
        self.processes.append(process)
        return process

    def build(self, *arguments, env=None, timeout=None):
        """`tidemark build`, to its end, which must be a good one."""
        process = self.spawn("build", *arguments, env=env)
        code = process.wait(timeout)
        if code != 0:
            raise Failed(f"build ended with {code}:\n{process.output()[-3000:]}")
        return process

    def command(self, *arguments, check=True, timeout=None, env=None):
        """A command of the CLI to its end; returns what it printed on standard output."""
        self.write()
        result = subprocess.run([str(BINARY), arguments[0], "-c", str(self.file), *map(str, arguments[1:])],
                                env={**self.environment, **(env or {})}, capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, timeout=timeout or PATIENCE)
        if check and result.returncode != 0:
            raise Failed(f"{' '.join(map(str, arguments))} ended with {result.returncode}:\n{result.stdout[-1500:]}{result.stderr[-1500:]}")
        return result if not check else result.stdout

    def json(self, *arguments, **options):
        return json.loads(self.command(*arguments, "--json", **options))

    def close(self):
        for process in self.processes:
            if process.is_running():
                process.kill()

    # ---- looking ----

    @property
    def store(self):
        return oracle.store_of(self.settings, self.environment)

    def manifests(self):
        return [k for k in self.store.keys() if k.startswith("manifests/")]

    def pointer(self):
        return snapshot.read_pointer(self.store)

    def current(self):
        """The manifest that _CURRENT names."""
        pointer = self.pointer()
        return snapshot.Manifest(self.store, pointer["manifest_ref"][len(self.store.url) + 1:]) if pointer else None

    def rows(self):
        """Stored key -> value of the current snapshot."""
        manifest = self.current()
        return {key: value for key, (value, _) in snapshot.read_rows(self.store, manifest).items()}

    def ledger(self):
        name = self.settings["kafka"].get("ledger_topic", self.settings["group"] + ".coordination")
        try:
            return topics.read_ledger(self.kafka.bootstrap, name)
        except LookupError:
            return []

    def records(self, kind):
        """The ledger's records of one kind, oldest first."""
        return [d for _, _, d in self.ledger() if d is not None and d.get("kind") == kind]

    def records_of_chain(self):
        """The COMMITs that the head stands on."""
        return Ledger(self.ledger()).head.commits

    def published(self):
        return len(self.records("PUBLISHED"))

    def check(self, **options):
        return oracle.check(self.settings, self.environment, **options)

    def wait_until_clean(self):
        """Before a stop: who is stopped publishes and deletes nothing more."""
        return check_clean(self.check)
