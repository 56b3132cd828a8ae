"""An XMPP client for tests: slixmpp, told what to do and telling what happens by lines of JSON."""

import asyncio
import json
import sys

import slixmpp


class Client(slixmpp.ClientXMPP):
    def __init__(self, jid, password):
        super().__init__(jid, password)
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0184")
        self.register_plugin("xep_0199")
        self["xep_0184"].auto_request = True
        self.add_event_handler("session_start", self.session_start)
        self.add_event_handler("message", self.message)
        self.add_event_handler("receipt_received", self.receipt)
        self.add_event_handler("changed_status", self.changed_status)
        self.add_event_handler("failed_auth", lambda _: self.tell("failed-auth"))
        self.add_event_handler("disconnected", self.gone)

    def tell(self, event, **fields):
        print(json.dumps({"event": event, **fields}), flush=True)

    async def session_start(self, _):
        await self.get_roster()
        self.send_presence()
        contacts = sorted(jid for jid in self.client_roster if jid != self.boundjid.bare)
        self.tell("session", jid=self.boundjid.full, contacts=contacts)

    def message(self, message):
        if message["type"] in ("chat", "normal") and message["body"]:
            self.tell("message", sender=message["from"].bare, body=message["body"])

    def receipt(self, message):
        self.tell("receipt", id=message["receipt"])

    def changed_status(self, presence):
        available = presence["type"] not in ("unavailable", "error")
        self.tell(
            "presence",
            sender=presence["from"].bare,
            available=available,
            status=presence["status"],
        )

    def gone(self, _):
        self.tell("disconnected")

    def obey(self, command):
        if command["do"] == "send":
            message = self.make_message(mto=command["to"], mbody=command["body"], mtype="chat")
            message["id"] = command["id"]
            message.send()
        elif command["do"] == "quit":
            self.disconnect()


async def read_commands(client):
    reader = asyncio.StreamReader()
    await client.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        client.obey(json.loads(line))
    client.disconnect()


def main():
    jid, password, host, port, certificate = sys.argv[1:6]
    client = Client(jid, password)
    client.ca_certs = certificate
    client.connect((host, int(port)), force_starttls=True)
    # asyncio itself holds tasks weakly: without a name it would be collected while it waits.
    commands = client.loop.create_task(read_commands(client))
    client.loop.run_until_complete(client.disconnected)
    commands.cancel()


main()
