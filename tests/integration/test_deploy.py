"""The files of deploy/ and docker-compose.yml: right by their schemas, and in agreement with the program and each other."""
import json
import os
import pathlib
import re
import subprocess
import sys

import jsonschema
import kubernetes_validate
import pytest
import yaml

import harness
from test_status import Status, start

pytestmark = pytest.mark.slow

ROOT = harness.ROOT
DEPLOY = ROOT / "deploy"
TOOLS = pathlib.Path(subprocess.run([str(harness.SUPPORT / "deploy_tools.sh"), "folder"], capture_output=True, text=True,
                                    check=True).stdout.strip())
PORT = 9464
USER = 10001
SETTINGS_PATH = "/etc/tidemark/tidemark.cfg"
WORK_FOLDER = "/var/lib/tidemark"
UNIT = DEPLOY / "systemd/tidemark@.service"
# Debian 12's package of each library that the program may be linked with; libc is everywhere.
PACKAGES = {
    "libcjson.so.1": "libcjson1", "libconfig.so.9": "libconfig9", "libcrypto.so.3": "libssl3", "libcurl.so.4": "libcurl4",
    "libexpat.so.1": "libexpat1", "libmicrohttpd.so.12": "libmicrohttpd12", "librdkafka.so.1": "librdkafka1",
    "libre2.so.9": "libre2-9", "libsqlite3.so.0": "libsqlite3-0", "libstdc++.so.6": "libstdc++6",
    "libxxhash.so.0": "libxxhash0", "libyaml-0.so.2": "libyaml-0-2", "libzstd.so.1": "libzstd1",
}
LIBC = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0"}


def run(*command, stdin="", env=None):
    result = subprocess.run([str(part) for part in command], input=stdin, capture_output=True, text=True, cwd=ROOT,
                            env={**os.environ, **(env or {})}, timeout=harness.PATIENCE)
    return result.returncode, result.stdout + result.stderr


def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def manifests():
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield path.name, document


def manifest(kind):
    return next(document for _, document in manifests() if document["kind"] == kind)


def container():
    return manifest("StatefulSet")["spec"]["template"]["spec"]["containers"][0]


def variables(text):
    """Names of ${NAME} in settings that have no default."""
    return set(re.findall(r"\$\{([A-Z_0-9]+)\}", text))


def seconds(text):
    return int(re.fullmatch(r"(\d+)s?", str(text)).group(1))


def check_settings(path, environment):
    """`tidemark check` of a file of ours, which must be right; returns its text."""
    code, output = run(harness.BINARY, "check", "-c", path, env=environment)
    assert code == 0, output
    text = pathlib.Path(path).read_text()
    assert variables(text) <= environment.keys()
    assert f'listen = "0.0.0.0:{PORT}"' in text and f'work_folder = "{WORK_FOLDER}"' in text
    return text


def stop_timeout(text):
    return int(re.search(r'stop_timeout = "(\d+)s"', text).group(1))


# ---- the container ----

def test_dockerfile_is_sound():
    code, output = run(pathlib.Path(sys.executable).parent / "hadolint", DEPLOY / "Dockerfile")
    assert code == 0, output


def test_dockerfile_agrees_with_the_program():
    text = (DEPLOY / "Dockerfile").read_text()
    runtime = text.split("FROM ")[2]
    installed = set(re.search(r"install -y --no-install-recommends (.*?)&&", runtime, re.S).group(1).replace("\\", " ").split())
    code, output = run("readelf", "-d", harness.BINARY)
    needed = set(re.findall(r"NEEDED.*\[(lib[^\]]+)\]", output)) - LIBC
    assert code == 0 and needed
    missing = {library for library in needed if PACKAGES.get(library) not in installed}
    assert not missing, "not in the image, or not in the table of this test"
    assert f"--uid {USER} " in text and f"USER {USER}\n" in text and f"EXPOSE {PORT}\n" in text
    assert f"http://127.0.0.1:{PORT}/livez" in text
    assert f'CMD ["run", "-c", "{SETTINGS_PATH}"]' in text and f"VOLUME {WORK_FOLDER}\n" in text
    # what is copied out of the build is where the build puts it
    assert "COPY --from=build /out/usr/bin/tidemark /usr/bin/tidemark" in text and "CMAKE_INSTALL_PREFIX=/usr " in text


def test_image_is_configured_without_what_tests_need(tmp_path):
    """The build stage has what scripts/install installs without --tests: no Python."""
    text = (DEPLOY / "Dockerfile").read_text()
    options = re.search(r"cmake -S \. -B build/release (.*?)&&", text, re.S).group(1).replace("\\", " ").split()
    code, output = run("cmake", "-S", ROOT, "-B", tmp_path / "build", *options, "-DCMAKE_DISABLE_FIND_PACKAGE_Python3=ON",
                       "-DCMAKE_DISABLE_FIND_PACKAGE_Python=ON")
    assert code == 0, output[-2000:]
    code, output = run("ninja", "-C", tmp_path / "build", "-n", "src/all")
    assert code == 0 and "tests/" not in output, output[-2000:]


# ---- docker-compose.yml ----

def test_compose_is_right_by_the_specification():
    schema = json.loads((TOOLS / "compose-spec.json").read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(compose())


def test_compose_agrees_with_itself_and_the_program():
    services = compose()["services"]
    members = {name: service for name, service in services.items() if name.startswith("member-")}
    assert len(members) == 3
    ports = []
    for name, member in members.items():
        environment = member["environment"]
        assert environment["TIDEMARK_MEMBER"] == name
        mounts = dict(volume.split(":")[:2][::-1] for volume in member["volumes"])
        text = check_settings(ROOT / mounts[SETTINGS_PATH], environment)
        assert mounts[WORK_FOLDER] == name and name in compose()["volumes"]
        assert seconds(member["stop_grace_period"]) > stop_timeout(text) + 10
        # the budget of the settings and what is beside it fit
        assert int(re.search(r'memory_budget = "(\d+)MiB"', text).group(1)) * 2 < int(member["mem_limit"].rstrip("m"))
        address, host, inner = member["ports"][0].split(":")
        assert address == "127.0.0.1" and inner == str(PORT)
        ports.append(host)
        # the store's and the broker's names and passwords
        store = services["store"]["environment"]
        assert environment["AWS_ACCESS_KEY_ID"] == store["MINIO_ROOT_USER"]
        assert environment["AWS_SECRET_ACCESS_KEY"] == store["MINIO_ROOT_PASSWORD"]
        assert f"PLAINTEXT://{environment['KAFKA_BROKERS']}" == services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
        bucket = environment["SNAPSHOT_STORE"].split("/")[2]
        assert f"mc mb --ignore-existing snapshots/{bucket}" in services["bucket"]["command"][0]
        assert environment["S3_ENDPOINT"] in services["bucket"]["command"][0]
    assert len(set(ports)) == 3
    for name, service in services.items():
        assert "mem_limit" in service, name
        for other, how in service.get("depends_on", {}).items():
            assert other in services, name
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other], name
    build = members["member-1"]["build"]
    assert (ROOT / build["context"] / build["dockerfile"]).is_file()
    source = services["producer"]["volumes"][0].split(":")[0]
    topic = re.search(r'name = "(\w+)"', text).group(1)
    assert (ROOT / source).is_file() and f"--topic {topic} " in services["producer"]["command"][0]
    assert topic in services["topics"]["command"]


# ---- Kubernetes ----

@pytest.mark.parametrize("version", ["1.29", "1.33"])
def test_manifests_are_right_by_their_schemas(version):
    kinds = set()
    for name, document in manifests():
        kubernetes_validate.validate(document, version, strict=True)
        kinds.add(document["kind"])
    assert kinds == {"ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "Service", "StatefulSet"}


def test_manifests_agree_with_the_program(tmp_path):
    stateful = manifest("StatefulSet")["spec"]
    pod = stateful["template"]["spec"]
    path = tmp_path / "tidemark.cfg"
    path.write_text(manifest("ConfigMap")["data"]["tidemark.cfg"])
    environment = {item["name"]: "tidemark-0" for item in container()["env"]}
    text = check_settings(path, environment)
    assert 'member_id = "${TIDEMARK_MEMBER}"' in text
    assert container()["args"] == ["run", "-c", SETTINGS_PATH]
    assert pod["terminationGracePeriodSeconds"] > stop_timeout(text) + 10
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == USER
    mounts = {mount["mountPath"]: mount["name"] for mount in container()["volumeMounts"]}
    volumes = {volume["name"] for volume in pod["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in stateful["volumeClaimTemplates"]}
    assert set(mounts.values()) == volumes
    assert mounts[WORK_FOLDER] == "work" and mounts[str(pathlib.Path(SETTINGS_PATH).parent)] == "settings"
    version = re.search(r"project\(tidemark VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    assert container()["image"] == f"tidemark:{version}"
    for probe, page in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        assert container()[probe]["httpGet"] == {"path": page, "port": "status"}
    assert container()["ports"][0]["containerPort"] == manifest("Service")["spec"]["ports"][0]["port"] == PORT
    assert manifest("NetworkPolicy")["spec"]["ingress"][0]["ports"][0]["port"] == PORT
    assert stateful["serviceName"] == manifest("Service")["metadata"]["name"]
    labels = stateful["template"]["metadata"]["labels"]
    assert labels == stateful["selector"]["matchLabels"] == manifest("Service")["spec"]["selector"]
    assert labels == manifest("PodDisruptionBudget")["spec"]["selector"]["matchLabels"]


# ---- systemd ----

def test_unit_is_sound(tmp_path):
    """With the program of this build, because systemd looks whether it is there."""
    unit = tmp_path / "tidemark@orders.service"
    text = UNIT.read_text()
    unit.write_text(text.replace("/usr/bin/tidemark", str(harness.BINARY)))
    code, output = run("systemd-analyze", "verify", "--man=no", unit)
    assert code == 0 and not output.strip(), output
    code, output = run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit)
    assert code == 0, output[-2000:]


def test_unit_agrees_with_the_program(tmp_path):
    text = UNIT.read_text()
    codes = {row[0]: row[1] for row in re.findall(r"^\| (\d+) \| ([a-z-]+) \|", (ROOT / "docs/exit-codes.md").read_text(), re.M)}
    prevented = re.search(r"^RestartPreventExitStatus=(.*)$", text, re.M).group(1).split()
    assert {codes[code] for code in prevented} == {"usage", "settings", "fenced", "limit", "corrupt"}
    fallback = re.search(r"`limits.stop_timeout` \| duration \| `(\d+)s`", (ROOT / "docs/settings.md").read_text()).group(1)
    assert int(re.search(r"^TimeoutStopSec=(\d+)s$", text, re.M).group(1)) > int(fallback) + 10
    user = re.search(r"^User=(\w+)$", text, re.M).group(1)
    assert f"u {user} " in (DEPLOY / "systemd/tidemark.sysusers").read_text()
    # its command line is one that the program takes
    command = re.search(r"^ExecStart=/usr/bin/tidemark run (.*)$", text, re.M).group(1)
    command = command.replace("/etc/tidemark/%i.cfg", str(ROOT / "etc/tidemark.cfg")).replace("%S", "/var/lib").replace("%i", "orders")
    code, output = run(harness.BINARY, "check", *command.split())
    assert code == 0 and "/var/lib/tidemark/orders" in output, output


# ---- Prometheus ----

def metrics_of_the_table():
    code, page = run(harness.BINARY, "help", "metrics")
    assert code == 0
    return set(re.findall(r"^\| `(tidemark_\w+)` \|", page, re.M))


def test_alerts_are_right():
    for command in (("check", "rules", DEPLOY / "prometheus/alerts.yml"), ("check", "config", DEPLOY / "prometheus/prometheus.yml")):
        code, output = run(TOOLS / "promtool", *command)
        assert code == 0, output
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"][0]["rules"]
    used = {name for rule in rules for name in re.findall(r"tidemark_\w+", rule["expr"])}
    assert used and used <= metrics_of_the_table()
    targets = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"][0]["static_configs"][0]["targets"]
    published = {member["ports"][0].rpartition(":")[0] for name, member in compose()["services"].items() if name.startswith("member-")}
    assert set(targets) == published


def test_a_real_scrape(new_job, topics, name):
    """promtool finds nothing to complain about; and each metric of the table comes, sooner or later."""
    job = new_job(window={"trigger": "event_time", "size": "1s", "out_of_orderness": "0s"})
    topics.create(name, 1)
    topics.send(name, [{"key": "k", "value": "v", "partition": 0, "timestamp_ms": 1_700_000_000_000 + 700 * i} for i in range(9)])
    process, status = start(job, "a")

    def complete():
        page = status.get("/metrics")[2]
        seen = set(re.findall(r"^# TYPE (\w+)", page, re.M))
        return page if seen == metrics_of_the_table() else None
    page = process.wait_for(complete, "all metrics")
    code, output = run(TOOLS / "promtool", "check", "metrics", stdin=page)
    assert code == 0 and not output.strip(), output
    assert process.stop() == 0


# ---- the whole of it, without containers ----

def test_compose_settings_publish(kafka, s3, topics, name, tmp_path):
    """The settings of docker-compose.yml and the demo's data: three members make a snapshot of each whole day."""
    services = compose()["services"]
    topic = f"earthquakes-{name}"
    topics.create(topic, 6)
    lines = (ROOT / services["producer"]["volumes"][0].split(":")[0]).read_text().splitlines()
    topics.send(topic, [{"key": None, "value": line, "partition": i % 6, "timestamp_ms": 1_700_000_000_000}
                        for i, line in enumerate(lines)])
    processes = []
    try:
        for member in sorted(name for name in services if name.startswith("member-")):
            environment = {**os.environ, **services[member]["environment"], **s3.credentials,
                           "KAFKA_BROKERS": kafka.bootstrap, "S3_ENDPOINT": s3.endpoint, "SNAPSHOT_STORE": f"s3://tidemark/{name}"}
            change = {"group": name, "topics[0].name": topic, "limits.work_folder": f"{tmp_path}/{member}",
                      "status.listen": "127.0.0.1:0"}
            more = [word for setting in change.items() for word in ("--set", "=".join(setting))]
            processes.append(harness.Process([str(harness.BINARY), "run", "-c", str(DEPLOY / "compose/tidemark.cfg"), *more],
                                             tmp_path / f"{member}.log", environment))
        status = Status(processes[0])

        def published():
            head = status.json()["head"]
            return head and head["published"] and head["closed_to"] == "2018-02-06T00:00:00Z"
        processes[0].wait_for(published, "the snapshot of the last whole day")
        assert len(status.json()["members"]) == 3
        assert all(process.stop() == 0 for process in processes)
    finally:
        for process in processes:
            if process.is_running():
                process.kill()
