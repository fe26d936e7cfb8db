#!/usr/bin/python3
"""Messages, presence and IQs of every usual kind pass both ways, unchanged in what they say."""
from lib import World, body, check, local

CHATSTATE = "<active xmlns='http://jabber.org/protocol/chatstates'/>"
TRICKY = "a < b & c > d \"quoted\" 'single' \u00e9\u4e2d\U0001f600 line\nline\ttab ]]>"

with World() as world:
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    check(alice.befriend(bob), "both subscribe to each other's presence")

    for sender, receiver in ((alice, bob), (bob, alice)):
        way = f"{sender.bare} to {receiver.bare}"
        name = sender.message(receiver.jid, TRICKY, CHATSTATE)
        message = receiver.wait_message(TRICKY)
        check(message is not None, f"{way}: text with markup, quotes and other scripts arrives as written")
        check(message.get("id") == name and message.get("type") == "chat" and message.get("from") == sender.jid,
              f"{way}: id, type and sender are kept")
        check(any(local(child) == "active" for child in message), f"{way}: an extension is kept")

        sender.presence(show="away", status="at the gate")
        away = receiver.wait(lambda e: local(e) == "presence" and e.get("from") == sender.jid and
                             any(local(c) == "show" and c.text == "away" for c in e))
        check(away is not None and any(c.text == "at the gate" for c in away), f"{way}: presence with status arrives")

        reply = sender.iq(receiver.domain, "get", "<ping xmlns='urn:xmpp:ping'/>")
        check(reply is not None and reply.get("type") == "result", f"{way}: XMPP ping is answered")
        reply = sender.iq(receiver.domain, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
        check(reply is not None and len(reply.findall(".//{*}feature")) > 3, f"{way}: disco lists features")
        receiver.iq(None, "set", "<vCard xmlns='vcard-temp'><FN>Person &amp; Co</FN></vCard>")
        reply = sender.iq(receiver.bare, "get", "<vCard xmlns='vcard-temp'/>")
        check(reply is not None and reply.findtext(".//{vcard-temp}FN") == "Person & Co", f"{way}: a vCard is read")
        reply = sender.iq(receiver.jid.replace("/test", "/gone"), "get", "<ping xmlns='urn:xmpp:ping'/>")
        check(reply is not None and reply.get("type") == "error", f"{way}: a server's own error comes back")

        room = f"hall-{sender.bare.split('@')[0]}@conference.{receiver.domain}"
        sender.presence(f"{room}/me", extra="<x xmlns='http://jabber.org/protocol/muc'/>")
        check(sender.wait_presence(f"{room}/me"), f"{way}: a room of the other side is joined")
        sender.message(room, "hello, room", kind="groupchat")
        check(sender.wait(lambda e: e.get("type") == "groupchat" and body(e) == "hello, room"),
              f"{way}: the room hands the message back")
        nick = "M\u00e9 the \u265a"
        sender.presence(f"{room}/{nick}")
        check(sender.wait_presence(f"{room}/{nick}"), f"{way}: a nick of letters, spaces and symbols is taken there")
        sender.message(receiver.jid.replace(receiver.bare, receiver.bare.upper()), "in capitals")
        check(receiver.wait_message("in capitals"), f"{way}: an address that the sender's server normalises arrives")
        sender.message(f"{receiver.bare}/\U0001f600 \u2615", "to an emoji")
        check(receiver.wait_message("to an emoji"), f"{way}: an address with emoji passes")
