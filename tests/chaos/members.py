"""The members of one group, as processes: each with its settings file, work folder, lane and clock."""
import errno
import os
import pathlib
import resource
import signal
import subprocess
import time

import harness
from kafka.admin import KafkaAdminClient
from watch import LedgerWatch, PointerWatch


class Member:
    def __init__(self, group, name, lane):
        self.group, self.name, self.lane = group, name, lane
        self.folder = group.folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "tidemark.cfg"
        self.clock = self.folder / "clock"
        self.crash_file, self.stop_file = self.folder / "crash-at", self.folder / "stop-at"
        self.log = self.folder / "log"
        self.process = None
        self.prefix = []  # of its command
        self.expected_end = False  # we ended it, or told it where to end
        self.sleeping = False
        self.judged = False  # its end was looked at
        self.resting_until = 0.0  # it is started again then
        self.starts = 0
        self.step_clock(0)

    def settings(self):
        return harness.merge(self.group.settings, {
            "member_id": self.name, "kafka": {"brokers": self.lane.brokers}, "s3": {"endpoint": self.lane.endpoint},
            "limits": {"work_folder": str(self.folder / "work")}})

    def start(self, crash_at=None, stop_at=None):
        assert not self.is_running()
        self.forget_step()
        self.file.write_text("".join(f"{n} = {harness.libconfig(v)};\n" for n, v in self.settings().items()))
        more = {"TIDEMARK_TEST_CLOCK_SHIFT_FILE": str(self.clock), "TIDEMARK_TEST_CRASH_AT": f"@{self.crash_file}",
                "TIDEMARK_TEST_STOP_AT": f"@{self.stop_file}"}
        self.expected_end = self.sleeping = self.judged = False
        if crash_at:
            self.die_at(crash_at)
        if stop_at:
            self.sleep_at(stop_at)
        self.starts += 1
        self.process = harness.Process([*self.prefix, str(harness.BINARY), "run", "-c", str(self.file)], self.log,
                                       {**self.group.environment, **more})
        return self.process

    def small_disk(self, megabytes):
        """Its next starts get a small disk of their own as work folder. False: this system refuses that to us."""
        folder = self.folder / "work"
        folder.mkdir(exist_ok=True)
        script = f'mount -t tmpfs -o size={megabytes}m tidemark "{folder}" && exec "$@"'
        prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
        if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
            return False
        self.prefix = prefix
        return True

    @property
    def ballast(self):
        """A file on its small disk, which only its own processes see."""
        return pathlib.Path(f"/proc/{self.pid}/root", *(self.folder / "work" / "ballast").parts[1:])

    @property
    def pid(self):
        return self.process.popen.pid

    def is_running(self):
        return self.process is not None and self.process.is_running()

    def is_stopped(self):
        """Put to sleep by a signal, its own or ours."""
        try:
            return pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        except OSError:
            return False

    def is_elected(self):
        """By its own last word, whatever took the election from it: a rebalance, or its clock."""
        said = self.process.output()
        return said.rfind('part=leader text="elected"') > said.rfind('part=leader text="unelected"')

    def kill(self):
        self.expected_end = True
        self.process.kill()

    def leave(self, rest=0.0):
        """SIGTERM, and nobody waits for it; it may be started again after a rest."""
        self.expected_end = True
        self.process.popen.terminate()
        self.resting_until = time.monotonic() + rest

    def stop(self, timeout=None):
        self.expected_end = True
        return self.process.stop(timeout)

    def die_at(self, step):
        """It will end as by kill -9 when it passes the step next, or for the n-th time with step:n."""
        self.expected_end = True
        self.crash_file.write_text(step)

    def sleep_at(self, step):
        """The same with SIGSTOP."""
        self.stop_file.write_text(step)

    def forget_step(self):
        self.crash_file.unlink(missing_ok=True)
        self.stop_file.unlink(missing_ok=True)

    def sleep(self):
        self.sleeping = True
        self.process.signal(signal.SIGSTOP)

    def wake(self):
        self.sleeping = False
        self.stop_file.unlink(missing_ok=True)
        if self.is_running():
            self.process.signal(signal.SIGCONT)

    def step_clock(self, seconds):
        new = self.clock.with_suffix(".new")
        new.write_text(f"{int(seconds * 1_000_000)}\n")
        new.rename(self.clock)

    def fill_disk(self, room):
        """No file of it grows beyond `room` bytes, as on a full disk; None: there is space again."""
        if self.prefix and self.is_running():
            self._fill_small_disk(room)
            return
        limit = resource.RLIM_INFINITY if room is None else room
        if self.is_running():
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def _fill_small_disk(self, room):
        """A real full disk: not one byte more can be written."""
        if room is None:
            self.ballast.unlink()
            return
        try:
            with open(self.ballast, "wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC, error

    def lose_work(self):
        for path in sorted((self.folder / "work").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    def end_code(self):
        return self.process.popen.returncode if self.process else None

    def tail(self, size=3000):
        return self.process.output()[-size:] if self.process else ""


class Group:
    """The settings that all members share, and the members."""

    def __init__(self, cluster, folder, name, topics, settings=None, members=3):
        self.cluster = cluster
        self.name = name
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.partitions = {topic["name"]: 0 for topic in topics}  # how many each has, as the test knows
        self.environment = {**os.environ, **cluster.s3.credentials}
        for sanitizer in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            self.environment.setdefault(sanitizer, "halt_on_error=1:abort_on_error=1:print_stacktrace=1")
        base = {
            "group": name,
            "kafka": {"brokers": cluster.kafka.bootstrap, "session_timeout": "6s"},
            "topics": topics,
            "window": {"trigger": "manual"},
            "snapshot": {"store": f"s3://{name}/snap", "shards": 4, "cleanup_grace": "0s", "attempt_timeout": "20s",
                         "speculative_after": "2s", "cleanup_every": "10s"},
            "s3": {"endpoint": cluster.s3.endpoint, "region": "us-east-1", "addressing": "path",
                   "connect_timeout": "2s", "request_timeout": "5s", "deadline": "20s"},
            "log": {"level": "debug"},
        }
        self.settings = harness.merge(base, settings or {})
        self.store = harness.oracle.store_of(self.settings, self.environment)
        self.store.make_bucket()
        self.members = [Member(self, f"m{i + 1}", cluster.lanes[i % len(cluster.lanes)]) for i in range(members)]
        self.ledger = LedgerWatch(cluster.kafka.bootstrap, name)
        self.pointer = PointerWatch(self)

    def start(self):
        """All members, until each has its share and one of them leads."""
        for member in self.members:
            member.start()
        self.wait_for_shares()
        self.wait_for_election()
        return self

    def leader(self):
        """The member that leads."""
        name = harness.wait_for(self.ledger.leader, "a leader")
        return next(m for m in self.members if m.name == name)

    def wait_for_election(self):
        """Who joins the election may take the lead over; when all are in it, it stays."""
        admin = KafkaAdminClient(bootstrap_servers=self.cluster.kafka.bootstrap)
        try:
            harness.wait_for(lambda: self._all_elect(admin), "an election with all members")
        finally:
            admin.close()
        harness.wait_for(self._elected, "a leader that says so, as the ledger does")

    def _all_elect(self, admin):
        election = admin.describe_groups([self.name + ".leader"])[self.name + ".leader"]
        return election["group_state"] == "Stable" and len(election["members"]) == len(self.running())

    def _elected(self):
        return [m.name for m in self.running() if m.is_elected()] == [self.ledger.leader()]

    def others(self, *but):
        return [m for m in self.members if m not in but]

    def wait_for_shares(self):
        """Every member that runs has some of the partitions, and says so."""
        def shared():
            owned = [self.ledger.owned(m.name) for m in self.running()]
            return all(owned) and sum(owned) == sum(self.partitions.values())
        harness.wait_for(shared, "a share of the partitions for each member")

    def wait_for_published(self, count):
        """So many snapshots are behind the pointer, and no member has ended that was not told to."""
        def there():
            for member in self.members:
                if member.process is not None and not member.is_running() and not member.expected_end:
                    raise harness.Failed(f"{member.name} ended with {member.end_code()}:\n{member.tail()}")
            return len(self.ledger.published) >= count
        try:
            harness.wait_for(there, f"{count} snapshots")
        except TimeoutError as error:
            raise harness.Failed(f"{error}, there are {len(self.ledger.published)}\n{self.logs()}") from None

    def running(self):
        return [m for m in self.members if m.is_running()]

    def kill(self):
        for member in self.members:
            if member.is_running():
                member.process.kill()

    def close(self):
        self.kill()
        self.ledger.close()
        self.pointer.ended.set()

    def stop(self):
        """SIGTERM for all, which must end well."""
        for member in self.running():
            code = member.stop()
            if code != 0:
                raise harness.Failed(f"{member.name} ended with {code} after SIGTERM:\n{member.tail()}")

    def check(self, **options):
        return harness.oracle.check(self.settings, self.environment, **options)

    def finish(self):
        """The end of a test: everything is right and clean, the members stop, the pointer never went back."""
        report = harness.check_clean(self.check)
        self.stop()
        self.pointer.close()
        return report

    def logs(self):
        return "\n".join(f"--- {m.name}\n{m.tail()}" for m in self.members)
