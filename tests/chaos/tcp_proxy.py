"""A TCP proxy that cuts, delays, holds back and half-closes what goes through it.

Connections belong to lanes; a fault is of one lane. All of it runs on one thread of its own.
"""
import asyncio
import socket
import struct
import threading

CHUNK = 64 << 10


class Link:
    """One connection: from the client to us, from us to the server."""

    def __init__(self, client, server):
        self.client, self.server = client, server

    def reset(self):
        for writer in (self.client, self.server):
            raw = writer.get_extra_info("socket")
            if not writer.transport.is_closing() and raw is not None and raw.fileno() >= 0:
                # a reset, not a polite end
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Lane:
    """What is done to the connections of one lane from now on."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.links = set()
        self.delay = 0.0  # seconds, for each piece, both ways
        self.held = False  # nothing comes through, nothing is lost
        self.refused = False  # new connections end at once

    def calm(self):
        self.delay, self.held, self.refused = 0.0, False, False

    def cut(self):
        """Resets all connections."""
        self.proxy.call(lambda: [link.reset() for link in list(self.links)])

    def half_close(self):
        """The clients see the end of what the server sends; the server still sees them."""
        def end():
            for link in list(self.links):
                if not link.client.transport.is_closing() and link.client.can_write_eof():
                    link.client.write_eof()
        self.proxy.call(end)


class TcpProxy:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.servers = []
        self.thread = threading.Thread(target=self._run, daemon=True, name="tcp-proxy")
        self.thread.start()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def call(self, work):
        """Runs `work` on the proxy's thread and waits for it."""
        done = threading.Event()

        def run():
            try:
                work()
            finally:
                done.set()
        self.loop.call_soon_threadsafe(run)
        done.wait(10)

    def lane(self):
        return Lane(self)

    def listen(self, lane, to_host, to_port, host="127.0.0.1", port=0):
        """One more way in; returns its port."""
        async def serve(reader, writer):
            try:
                await self._serve(lane, to_host, to_port, reader, writer)
            except asyncio.CancelledError:  # the proxy ends
                writer.transport.abort()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(serve, host, port), self.loop).result(10)
        self.servers.append(server)
        return server.sockets[0].getsockname()[1]

    def close(self):
        async def end():
            for server in self.servers:
                server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    async def _serve(self, lane, to_host, to_port, reader, writer):
        if lane.refused:
            writer.transport.abort()
            return
        try:
            from_server, to_server = await asyncio.open_connection(to_host, to_port)
        except OSError:
            writer.transport.abort()
            return
        link = Link(writer, to_server)
        lane.links.add(link)
        try:
            await asyncio.gather(self._pump(lane, reader, to_server), self._pump(lane, from_server, writer))
        finally:
            lane.links.discard(link)
            link.reset()

    async def _pump(self, lane, reader, writer):
        try:
            while True:
                data = await reader.read(CHUNK)
                if lane.delay:
                    await asyncio.sleep(lane.delay)
                while lane.held:
                    await asyncio.sleep(0.02)
                if not data:
                    break
                if writer.transport.is_closing():
                    return
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except (OSError, RuntimeError):  # reset, or half-closed: what still comes is dropped
            pass
