"""A broker that wants TLS, a user and rights: its certificates, its users, and what each may do."""
import pathlib
import subprocess

import harness
from kafka.admin import (ACL, ACLFilter, ACLOperation, ACLPermissionType, ACLResourcePatternType, KafkaAdminClient, ResourcePattern,
                         ResourcePatternFilter, ResourceType)

# One user can do all that a member needs, one nothing; each test gives it what it is about.
USERS = {"member": "m3mb3r-s3cr3t", "nobody": "n0b0dy-s3cr3t"}
SECRETS = (*USERS.values(), "wr0ng-s3cr3t")


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def make_ca(folder, name):
    """FOLDER/NAME.pem, a certificate that signs others, and its key."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", f"/CN=test {name}", "-keyout", folder / f"{name}.key",
            "-out", folder / f"{name}.pem")
    return folder / f"{name}.pem"


def make_certificates(folder):
    """ca.pem, and server.pem (key, certificate, CA) with server.crt and server.key for 127.0.0.1; other.pem, a CA that signed nothing."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    make_ca(folder, "ca")
    make_ca(folder, "other")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", folder / "server.key", "-out", folder / "server.csr")
    openssl("x509", "-req", "-in", folder / "server.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial",
            "-days", 2, "-extfile", folder / "names", "-out", folder / "server.crt")
    parts = [folder / part for part in ("server.key", "server.crt", "ca.pem")]
    (folder / "server.pem").write_text("".join(part.read_text() for part in parts))
    return folder


class SecuredKafka(harness.Kafka):
    """`bootstrap` is the plain listener, where the tests' own clients may do all; `secured` asks who comes."""

    def __init__(self, folder, certificates):
        super().__init__(folder)
        self.certificates = certificates
        self.environment["KAFKA_SECURED"] = str(certificates)
        self.environment["KAFKA_USERS"] = " ".join(f"{name}={password}" for name, password in USERS.items())

    @property
    def secured(self):
        return self.variables["KAFKA_SECURED"]


class Rights:
    """What the user has; written as in docs/operations.md: ("topic", "t", "Read Describe")."""

    def __init__(self, bootstrap, user="member"):
        self.admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        self.user = user

    def close(self):
        self.admin.close()

    def set(self, rights):
        """These and no others."""
        anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        self.admin.delete_acls([ACLFilter(f"User:{self.user}", "*", ACLOperation.ANY, ACLPermissionType.ANY, anything)])
        made = [ACL(f"User:{self.user}", "*", operation_of(word), ACLPermissionType.ALLOW, ResourcePattern(resource_of(kind), name))
                for kind, name, words in rights for word in words.split()]
        failed = self.admin.create_acls(made)["failed"] if made else []
        assert not failed, failed
        self.wait_for_known({(a.resource_pattern.resource_name, a.operation) for a in made})

    def wait_for_known(self, wanted):
        anything = ACLFilter(f"User:{self.user}", "*", ACLOperation.ANY, ACLPermissionType.ANY,
                             ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY))

        def known():
            acls, _ = self.admin.describe_acls(anything)
            return {(a.resource_pattern.resource_name, a.operation) for a in acls} == wanted
        harness.wait_for(known, "the broker to know the rights")


def operation_of(word):
    return {"Describe": ACLOperation.DESCRIBE, "DescribeConfigs": ACLOperation.DESCRIBE_CONFIGS, "Read": ACLOperation.READ,
            "Write": ACLOperation.WRITE, "Create": ACLOperation.CREATE}[word]


def resource_of(kind):
    return {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "transactional-id": ResourceType.TRANSACTIONAL_ID}[kind]
