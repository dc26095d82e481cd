#!/usr/bin/env python3
"""The services that give out AWS keys, as far as the tests ask them: STS, container and instance metadata.

    aws_fake.py        prints AWS_FAKE_URL=http://127.0.0.1:PORT and goes to the background until S3_OWNER ends

POST /_set   JSON: "ttl" seconds that keys live, "status" to answer instead (0: none), "token" that callers must show
GET /_count  how many key sets were given out
Keys are AK<n>, sk<n>, tk<n>; n counts.
"""
import datetime
import json
import os
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lock = threading.Lock()
state = {"ttl": 3600, "status": 0, "token": "web-token", "delay": 0}
count = 0


def new_keys():
    global count
    with lock:
        count += 1
        number = count
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=state["ttl"])
    return f"AK{number}", f"sk{number}", f"tk{number}", end.strftime("%Y-%m-%dT%H:%M:%SZ")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def keys_json(self):
        access, secret, token, end = new_keys()
        self.answer(200, json.dumps({"Code": "Success", "AccessKeyId": access, "SecretAccessKey": secret,
                                     "Token": token, "Expiration": end}))

    def sts(self, body):
        form = urllib.parse.parse_qs(body)
        if form.get("Action") != ["AssumeRoleWithWebIdentity"] or form.get("Version") != ["2011-06-15"] or \
                not form.get("RoleArn", [""])[0].startswith("arn:") or not form.get("RoleSessionName"):
            self.answer(400, "<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>")
        elif form.get("WebIdentityToken") != [state["token"]]:
            self.answer(400, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>bad token"
                             "</Message></Error></ErrorResponse>")
        else:
            access, secret, token, end = new_keys()
            self.answer(200, "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
                             "<AssumeRoleWithWebIdentityResult><Credentials>"
                             f"<AccessKeyId>{access}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
                             f"<SessionToken>{token}</SessionToken><Expiration>{end}</Expiration>"
                             "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>")

    def instance(self):
        if self.command == "PUT" and self.path == "/latest/api/token":
            ok = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
            self.answer(200 if ok else 400, "imds-token" if ok else "")
        elif self.headers.get("X-aws-ec2-metadata-token") != "imds-token":
            self.answer(401, "")
        elif self.path == "/latest/meta-data/iam/security-credentials/":
            self.answer(200, "the-role\n")
        elif self.path == "/latest/meta-data/iam/security-credentials/the-role":
            self.keys_json()
        else:
            self.answer(404, "")

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self.path == "/_set":
            state.update(json.loads(body))
            self.answer(200, "ok")
        elif self.path == "/_count":
            self.answer(200, str(count))
        else:
            time.sleep(state["delay"])
            if state["status"]:
                self.answer(state["status"], "")
            elif self.path.startswith("/latest/"):
                self.instance()
            elif self.path == "/container":
                if self.headers.get("Authorization") == state["token"]:
                    self.keys_json()
                else:
                    self.answer(403, "")
            elif self.command == "POST" and self.path == "/":
                self.sts(body)
            else:
                self.answer(404, "")

    do_GET = do_PUT = do_POST = handle_one


def end_with_owner():
    owner = int(os.environ["S3_OWNER"])
    while os.path.exists(f"/proc/{owner}"):
        time.sleep(0.5)
    os._exit(0)


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"AWS_FAKE_URL=http://127.0.0.1:{server.server_address[1]}", flush=True)
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
