#!/usr/bin/env python3
"""A faulty way to an S3 server: an HTTP proxy that answers, drops, delays and lies as it is told.

    s3_faults.py UPSTREAM        (http://host:port; keys from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)

Prints AWS_ENDPOINT_URL=http://127.0.0.1:PORT and goes to the background until the process S3_OWNER ends. With
S3_FAULTS_TLS=FOLDER it speaks https, and FOLDER/ca.pem is the certificate to trust. It is an ordinary HTTP
proxy, too: a request for http://anything/path goes to the same server.

POST /_faults   replaces the rules by a JSON list and forgets the log. The first rule that fits a request
                and has times left (no "times": for ever) is applied to it:
    {"action": A, "method": "PUT", "match": "text in path?query", "header": "if-match", "times": 1, ...}
    status         answers "status", "code", "message", "headers", or "body" whole; nothing is forwarded
    after_status   forwards first, then answers so
    drop           closes the connection without forwarding
    drop_after     forwards, then closes without an answer
    truncate       forwards, and answers all headers but only the first "bytes" of the body
    drip           forwards, and answers with "bytes" bytes of the body in a tenth of a second
    hang           keeps the connection "seconds" long, then closes it
    hang_after     forwards, and then does the same
    late           waits "seconds", then forwards, whether or not the client is still there
    skew           has a clock that is "seconds" ahead and refuses requests that are off by 15 minutes
    strip          takes the conditional headers "names" off (signed anew)
    unlocked       checks conditions by itself, without a lock, "seconds" before it writes
    etag           forwards, and answers with ETag "etag"
GET /_log       one line a request: METHOD path?query, and the action applied
"""
import datetime
import hashlib
import hmac
import http.client
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONDITIONS = ("if-match", "if-none-match")


class State:
    def __init__(self, upstream):
        self.upstream = urllib.parse.urlsplit(upstream).netloc
        self.lock = threading.Lock()
        self.rules = []
        self.log = []

    def rule_for(self, method, path, headers):
        with self.lock:
            for rule in self.rules:
                if rule.get("times", 1) <= 0 or rule.get("method", method) != method:
                    continue
                if rule.get("match", "") not in path or rule.get("header", "host") not in headers:
                    continue
                if "times" in rule:
                    rule["times"] -= 1
                self.log.append(f"{method} {path} {rule['action']}")
                return rule
            self.log.append(f"{method} {path} -")
            return {"action": "none"}


def sign(method, path, headers, payload_hash):
    """Signature version 4, written apart from the program's own: each checks the other."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers["x-amz-date"] = now
    headers["x-amz-content-sha256"] = payload_hash
    names = sorted(n for n in headers if n == "host" or n.startswith("x-amz-") or n.startswith("content-md5"))
    route, _, query = path.partition("?")
    pairs = sorted(part if "=" in part else part + "=" for part in query.split("&") if part)
    canonical = "\n".join([method, route, "&".join(pairs), *[f"{n}:{headers[n].strip()}" for n in names], "",
                           ";".join(names), payload_hash])
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in [*scope.split("/"), text]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope},"
                                f"SignedHeaders={';'.join(names)},Signature={key.hex()}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = None

    def log_message(self, *args):
        pass

    def forward(self, headers, body, method=None):
        parts = urllib.parse.urlsplit(self.path)
        path = parts.path + ("?" + parts.query if parts.query else "") if parts.scheme else self.path
        connection = http.client.HTTPConnection(self.state.upstream, timeout=60)
        try:
            connection.putrequest(method or self.command, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            if body:
                connection.send(body)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def answer(self, status, headers, body, cut=None, drip=None):
        self.send_response_only(status)
        if "date" not in headers:
            self.send_header("Date", self.date_time_string())
        for name, value in headers.items():
            if name not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        head = self.command == "HEAD"
        length = headers.get("content-length", "0") if head else str(len(body))
        if status != 204:
            self.send_header("Content-Length", length)
        self.end_headers()
        if not head:
            body = body if cut is None else body[:cut]
            for at in range(0, len(body), drip or max(len(body), 1)):
                self.wfile.write(body[at:at + drip] if drip else body)
                self.wfile.flush()
                time.sleep(0.1 if drip else 0)

    def answer_rule(self, rule):
        body = rule.get("body")
        if body is None:
            body = (f"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{rule.get('code', 'InternalError')}"
                    f"</Code><Message>{rule.get('message', 'as told')}</Message></Error>")
        headers = {"content-type": "application/xml"}
        headers.update({k.lower(): v for k, v in rule.get("headers", {}).items()})
        self.answer(rule["status"], headers, body.encode())

    def drop(self):
        self.close_connection = True
        self.connection.close()

    def control(self, body):
        state = self.state
        if self.path == "/_faults" and self.command == "POST":
            with state.lock:
                state.rules = json.loads(body or "[]")
                state.log = []
            self.answer(200, {}, b"ok")
        else:
            with state.lock:
                text = "".join(line + "\n" for line in state.log)
            self.answer(200, {"content-type": "text/plain"}, text.encode())

    def signed_anew(self, headers, body, without):
        headers = {k: v for k, v in headers.items() if k not in without and k != "authorization"}
        sign(self.command, self.path, headers, hashlib.sha256(body).hexdigest())
        return headers

    def skewed(self, rule, headers, body):
        theirs = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
        ours = datetime.datetime.utcnow() + datetime.timedelta(seconds=rule["seconds"])
        date = {"date": self.date_time_string(time.time() + rule["seconds"])}
        if abs((theirs - ours).total_seconds()) > 900:
            self.answer_rule({"status": 403, "code": "RequestTimeTooSkewed", "headers": date})
        else:
            self.answer(*self.forward(self.signed_anew(headers, body, ()), body))

    def unlocked(self, rule, headers, body):
        """What some servers do: look first, write later, and nobody holds the object in between."""
        head = {"host": headers["host"]}
        sign("HEAD", self.path, head, hashlib.sha256(b"").hexdigest())
        status, seen, _ = self.forward(head, b"", "HEAD")
        etag = seen.get("etag") if status == 200 else None
        if ("if-none-match" in headers and etag) or ("if-match" in headers and etag != headers["if-match"]):
            self.answer_rule({"status": 412, "code": "PreconditionFailed"})
            return
        time.sleep(rule.get("seconds", 0.1))
        self.answer(*self.forward(self.signed_anew(headers, body, CONDITIONS), body))

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.startswith("/_"):
            self.control(body)
            return
        headers = {k.lower(): v for k, v in self.headers.items() if k.lower() not in ("connection", "expect")}
        rule = self.state.rule_for(self.command, self.path, headers)
        action = rule["action"]
        if action == "status":
            self.answer_rule(rule)
        elif action == "after_status":
            self.forward(headers, body)
            self.answer_rule(rule)
        elif action == "drop":
            self.drop()
        elif action == "drop_after":
            self.forward(headers, body)
            self.drop()
        elif action == "truncate":
            self.answer(*self.forward(headers, body), cut=rule["bytes"])
            self.drop()
        elif action == "drip":
            self.answer(*self.forward(headers, body), drip=rule["bytes"])
        elif action == "hang":
            time.sleep(rule["seconds"])
            self.drop()
        elif action == "hang_after":
            self.forward(headers, body)
            time.sleep(rule["seconds"])
            self.drop()
        elif action == "late":
            time.sleep(rule["seconds"])
            self.answer(*self.forward(headers, body))
        elif action == "skew":
            self.skewed(rule, headers, body)
        elif action == "strip":
            self.answer(*self.forward(self.signed_anew(headers, body, rule["names"]), body))
        elif action == "unlocked":
            self.unlocked(rule, headers, body)
        elif action == "etag":
            status, seen, content = self.forward(headers, body)
            self.answer(status, {**seen, "etag": rule["etag"]}, content)
        else:
            self.answer(*self.forward(headers, body))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that went away is what the tests are about


def end_with_owner():
    owner = int(os.environ["S3_OWNER"])
    while os.path.exists(f"/proc/{owner}"):
        time.sleep(0.5)
    os._exit(0)


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder + "/key.pem", "-out",
                    folder + "/ca.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/ca.pem", folder + "/key.pem")
    return context


def main():
    Handler.state = State(sys.argv[1])
    server = Server(("127.0.0.1", int(os.environ.get("S3_FAULTS_PORT", "0"))), Handler)
    scheme = "http"
    if "S3_FAULTS_TLS" in os.environ:
        scheme = "https"
        server.socket = make_certificate(os.environ["S3_FAULTS_TLS"]).wrap_socket(server.socket, server_side=True)
    print(f"AWS_ENDPOINT_URL={scheme}://127.0.0.1:{server.server_address[1]}", flush=True)
    if os.fork() != 0:
        os._exit(0)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    threading.Thread(target=end_with_owner, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
