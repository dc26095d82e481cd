"""Reads a shard of SlateDB by SlateDB's own package, pinned to the checkpoint that the manifest names."""
import asyncio
import contextlib
import os

from slatedb import uniffi

from snapshot import Broken, FileStore, key_text, need

BATCH = 4096


@contextlib.contextmanager
def environment(store):
    """The package takes keys and endpoint of S3 from the environment."""
    more = {}
    if not isinstance(store, FileStore):
        keys = store.client._request_signer._credentials
        more = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key,
                "AWS_REGION": store.client.meta.region_name, "AWS_ENDPOINT": store.client.meta.endpoint_url,
                "AWS_ALLOW_HTTP": "true", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false"}
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


async def read_all(url, mode):
    scheme, _, path = url.partition("://")
    root, _, path = path.partition("/")
    builder = uniffi.DbReaderBuilder(path, uniffi.ObjectStore.resolve(f"{scheme}://{root}/"))
    builder.with_reader_mode(mode)
    reader = await builder.build()
    try:
        everything = uniffi.KeyRange(start=None, start_inclusive=True, end=None, end_inclusive=False)
        rows, found = await reader.scan(everything), {}
        while batch := await rows.next_batch(BATCH):
            found.update((bytes(row.key), bytes(row.value)) for row in batch)
        if found:
            # by its key, too: another way through filters and indexes
            key = sorted(found)[len(found) // 2]
            need(bytes(await reader.get(key)) == found[key], f"{url}: get({key!r})")
        return found
    finally:
        await reader.shutdown()


def read(store, entry, mode=None):
    """Stored key -> value; without `mode` as of the manifest's checkpoint_id, which writes nothing."""
    with environment(store):
        return asyncio.run(read_all(entry["db_url"], mode or uniffi.ReaderMode.CHECKPOINT(entry["checkpoint_id"])))


class SlatedbShard:
    """As snapshot.Shard: checked while it is read."""
    page_size = None
    sidecar = None

    def __init__(self, store, manifest, entry):
        url = entry["db_url"]
        need(url.startswith(store.url + "/") and not url.endswith("/"), f"db_url {url}")
        self.folder = url[len(store.url) + 1:]
        files = {key: len(store.get(key)) for key in store.keys() if key.startswith(self.folder + "/")}
        need(any("/manifest/" in key for key in files), f"{url}: no manifest")
        need(sum(files.values()) == entry["db_bytes"], f"{url}: db_bytes {entry['db_bytes']}, there are {files}")
        try:
            self.rows = read(store, entry)
        except uniffi.Error as error:
            raise Broken(f"{url}: {error}") from error
        need(len(self.rows) == entry["row_count"], f"{url}: row_count")
        encoding = manifest.meta["key_encoding"]
        need(entry["min_key"] == key_text(min(self.rows), encoding), f"{url}: min_key {entry['min_key']}")
        need(entry["max_key"] == key_text(max(self.rows), encoding), f"{url}: max_key {entry['max_key']}")
