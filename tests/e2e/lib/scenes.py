"""
What people and their clients do across the boundary, scene by scene: SCENES. Each is played both ways by perform(cast), which
has alice (twice: test and tablet) and anna inside, bob (twice) and bella outside.
"""
import base64

from .canonical import EVENT
from .cast import Missed
from .prosody import Prosody
from .xmpp import body, deliver, local

MUC, MUC_USER, MUC_ADMIN, MUC_OWNER = (f"http://jabber.org/protocol/muc{part}" for part in ("", "#user", "#admin", "#owner"))
PUBSUB, INFO, ITEMS = (f"http://jabber.org/protocol/{name}" for name in ("pubsub", "disco#info", "disco#items"))
NICK, TUNE, MOOD = (f"http://jabber.org/protocol/{name}" for name in ("nick", "tune", "mood"))
UNWISHED = "urn:example:unwished"    # a node whose events no client asks for
AVATAR = "urn:xmpp:avatar:metadata", "urn:xmpp:avatar:data"
MAM, FORM = "urn:xmpp:mam:2", "jabber:x:data"
ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
TEXTS = (
    "a < b & c > d \"quoted\" 'single' ]]> &amp; &lt;b&gt;",
    "line\nline\ttab\n\n  spaces  at both ends  ",
    "\u00e9\u4e2d\u6587 \u05e9\u05dc\u05d5\u05dd \u0639\u0631\u0628\u064a "
    "\u0e44\u0e17\u0e22 e\u0301 \ufb01 \u202e\u202c\u200d\u200b",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \U00020000 \U0010fffd \ufffd \ue000 \u0085\u2028",
    "/me waves", "?", " ", "0", "https://example.org/a?b=c&d=%20#e",
)
RESERVED, AFTERWARDS = "\ufdd0\U0001fffe", "after reserved characters"
ODD = "my-odd"                       # stanzas that RFC 6120 and 6121 do not have
STATES = ("active", "composing", "paused", "inactive", "gone")


def ways(cast):
    return (cast.alice, cast.bob), (cast.bob, cast.alice)


def entrance(cast):
    cast.alice, cast.bob = cast.enter("inside", "alice"), cast.enter("outside", "bob")
    for actor in (cast.alice, cast.bob):
        actor.presence(extra=actor.caps)
        actor.expect_presence(actor.jid)


def subscription(cast):
    for one, other in ways(cast):
        one.presence(other.bare, "subscribe", status="let me in", extra=f"<nick xmlns='{NICK}'>One</nick>")
        other.expect_presence(one.bare, "subscribe")
        other.presence(one.bare, "subscribed")
        one.expect_presence(other.bare, "subscribed")
        one.expect_presence(other.jid)
        cast.settle()


def refused_subscription(cast):
    """Asked for, withdrawn; asked for, denied; given, taken back."""
    anna, bella = cast.anna, cast.bella = cast.enter("inside", "anna"), cast.enter("outside", "bella")
    for actor in (anna, bella):                             # who is not there yet is asked again when he comes
        actor.presence()
        actor.expect_presence(actor.jid)
    for one, other in ((anna, bella), (bella, anna)):
        one.presence(other.bare, "subscribe")
        other.expect_presence(one.bare, "subscribe")
        one.presence(other.bare, "unsubscribe")
        cast.settle()                                       # not every server says so
        one.presence(other.bare, "subscribe")
        other.expect_presence(one.bare, "subscribe")
        other.presence(one.bare, "unsubscribed")
        cast.settle()
        one.presence(other.bare, "subscribe")
        other.expect_presence(one.bare, "subscribe")
        other.presence(one.bare, "subscribed")
        one.expect_presence(other.jid)
        one.presence(other.bare, "subscribe")              # what it has already
        one.presence(other.bare, "unsubscribe")
        cast.settle()
        one.presence(other.bare, "subscribe")
        other.expect_presence(one.bare, "subscribe")
        other.presence(one.bare, "subscribed")
        one.expect_presence(other.jid)
        other.presence(one.bare, "unsubscribed")
        cast.settle()
        one.presence("nobody@" + other.domain, "subscribe")
        one.presence("nobody@" + other.domain, "probe")
        cast.settle()


def presence(cast):
    extras = ("<priority>-1</priority>", "<idle xmlns='urn:xmpp:idle:1' since='1969-07-21T02:56:15Z'/>",
              "<x xmlns='vcard-temp:x:update'><photo/></x>", f"<nick xmlns='{NICK}'>N</nick>",
              "<x xmlns='jabber:x:signed'>iQEVAwUAUB=</x>", "<status xml:lang='de'>weg</status>",
              "<own xmlns='urn:example:own' a='1' b='2'><p:in xmlns:p='urn:example:in' p:q='r'/></own>")
    for one, other in ways(cast):
        for show in ("away", "chat", "dnd", "xa", None):
            one.presence(show=show, status=f"now {show or 'here'} & <there>", extra=f"<priority>5</priority>{one.caps}")
        for extra in extras:
            one.presence(status="more", extra=extra + one.caps)
        one.presence(status="\u00e9 \U0001f600 " * 200, extra=one.caps)
        other.expect(lambda e, one=one: local(e) == "presence" and e.get("from") == one.jid and
                     len(e.findtext("{jabber:client}status") or "") > 300, "the last presence")
        one.presence(extra=one.caps)
        other.expect_presence(one.jid)
        one.presence(other.jid, extra="<status>only for you</status>")
        one.presence(other.bare, "probe")
        one.presence(other.jid, "unavailable", status="not for you")
        cast.settle()
        one.presence(kind="unavailable", status="good night")
        other.expect_presence(one.jid, "unavailable")
        one.presence(extra=one.caps)
        other.expect_presence(one.jid)
        cast.settle()


def chat(cast):
    for one, other in ways(cast):
        for text in TEXTS:
            one.message(other.jid, text)
            other.expect_message(text)
        one.message(other.bare, "to the bare address")
        other.expect_message("to the bare address")
        one.send(f"<message to='{other.jid}' id='my-lang' xml:lang='de' type='chat'><subject>Betreff</subject><body>Guten "
                 "Tag</body><body xml:lang='en'>Good day</body><body xml:lang='zh-Hans'>\u4f60\u597d</body>"
                 "<thread parent='my-old'>my-new</thread></message>")
        other.expect_message("Guten Tag")
        one.send(f"<message to='{other.jid}'><body>without type or id</body></message>")
        one.send(f"<message to='{other.jid}' type='chat' id='my-cdata'><body><![CDATA[<b>&amp;</b>]]>"
                 "&#x41;&apos;&#10;&#13;&#13;&#10;</body></message>")
        one.send(f"<message to='{other.jid}' type='chat' id='my-empty'/>")
        one.send(f"<message to='{other.jid}' type='chat' id='my-body'><body/></message>")
        one.send(f"<message to='{other.jid}' type='chat' id='&quot;&lt;&amp;&gt;&apos; &#233;'><body>strange id</body>"
                 "</message>")
        other.expect_message("strange id")
        for size in (10000, 100000, 195000):
            one.message(other.jid, "0123456789abcdef" * (size // 16) + "<")
            other.expect(lambda e, size=size: len(body(e) or "") == size // 16 * 16 + 1, f"{size} characters")
        cast.settle()


def addresses(other):
    return (other.jid, other.bare, f"{other.bare}/gone", f"nobody@{other.domain}", f"nobody@{other.domain}/gone",
            other.domain, f"{other.domain}/resource")


def kinds(cast):
    """Messages of every type, to a client, a user, one that is gone, nobody, a server."""
    for one, other in ways(cast):
        for to in addresses(other):
            for kind in ("chat", "normal", "headline", "groupchat", "error"):
                reason = f"<error type='cancel'><gone xmlns='{ERRORS}'/></error>" if kind == "error" else ""
                one.message(to, f"{kind} to {to}", reason, kind=kind)
            one.send(f"<message to='{to}' id='my-none'><body>no type to {to}</body></message>")
            one.presence(to, "unavailable")
            cast.settle()
        one.send(f"<message to='{other.jid}' type='error' id='my-error'><body>this</body><error type='modify' by='x.example'>"
                 f"<not-acceptable xmlns='{ERRORS}'/><text xmlns='{ERRORS}' xml:lang='en'>No, thanks</text>"
                 "<own xmlns='urn:example:own'/></error></message>")
        one.send(f"<presence to='{other.jid}' type='error' id='my-perror'><error type='cancel'><gone xmlns='{ERRORS}'>"
                 "xmpp:new@example.org</gone></error></presence>")
        other.expect(lambda e: e.get("id") == "my-perror", "an error of presence")
        cast.settle()


def extensions(cast):
    """What messages carry besides their text; names of nobody's namespaces too."""
    for one, other in ways(cast):
        payloads = [f"<{state} xmlns='http://jabber.org/protocol/chatstates'/>" for state in STATES]
        payloads += [
            "<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>",
            "<replace xmlns='urn:xmpp:message-correct:0' id='my-first'/><origin-id xmlns='urn:xmpp:sid:0' id='my-origin'/>",
            "<received xmlns='urn:xmpp:receipts' id='my-first'/>",
            "<displayed xmlns='urn:xmpp:chat-markers:0' id='my-first'/>",
            "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p style='color:red'>"
            "one <strong>two</strong> three<br/>four</p> tail </body></html>",
            "<x xmlns='jabber:x:oob'><url>https://example.org/?a=1&amp;b=2</url></x>",
            "<reactions xmlns='urn:xmpp:reactions:0' id='my-first'><reaction>\U0001f44b</reaction></reactions>",
            "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>Zm9v</key><iv>YmFy</iv></header>"
            "<payload>YmF6</payload></encrypted><encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs' name='OMEMO'/>",
            "<p:a xmlns:p='urn:example:p' xmlns:r='urn:example:r' p:x='1' r:x='2' x='3'><b xmlns=''/><r:c>&gt;</r:c>t<p:d/>"
            "</p:a>",
            "<deep xmlns='urn:example:deep'>" + "<in>" * 20 + "x" + "</in>" * 20 + "</deep>",
            "<wide xmlns='urn:example:wide'>" + "".join(f"<e n='{i}'/>" for i in range(300)) + "</wide>",
            "<own xmlns='urn:example:own'><message xmlns='jabber:client' type='chat'><body>within</body></message></own>",
            f"<body xmlns='urn:example:body'>not a body</body><error xmlns='urn:example:error'/><x xmlns='{FORM}' type='form'>"
            "<field var='a' type='text-single'><value> v </value></field></x>",
            "<store xmlns='urn:xmpp:hints'/><attention xmlns='urn:xmpp:attention:0'/>",
            f"<event xmlns='{PUBSUB}#event'><items node='urn:example:forged'><item id='my-i'/></items></event>",
            "<delay xmlns='urn:xmpp:delay' from='one.example' stamp='1999-12-31T23:59:59Z'>old</delay>",
            "<space xmlns='urn:example:space' xml:space='preserve' a=' b  c&#9;d&#10;e '>  f\n  g </space>",
        ]
        for i, payload in enumerate(payloads):
            one.message(other.jid, f"with {i}", payload)
            one.send(f"<message to='{other.jid}' type='chat' id='my-{i}'>{payload}</message>")
            other.expect_message(f"with {i}")
        cast.settle()


def extremes(cast):
    """As deep, wide and long as servers take it. (A long tag stays in Prosody's expat until more comes, on any wire.)"""
    for one, other in ways(cast):
        payloads = (
            "<deep xmlns='urn:example:deep'>" + "<in>" * 60 + "</in>" * 60 + "</deep>",
            "<many xmlns='urn:example:many' " + " ".join(f"a{i}='{i}'" for i in range(60)) + "/>",
            "<spaces xmlns='urn:example:spaces' " +
            " ".join(f"xmlns:n{i}='urn:example:n{i}' n{i}:a='{i}'" for i in range(50)) + "/>",
            f"<long xmlns='urn:example:long' a='{'0123456789' * 200}'/>",
            f"<name xmlns='urn:{'x' * 400}'><{'n' * 400}/></name>",
            "<wide xmlns='urn:example:wide'>" + "<e a=''>x</e>" * 2000 + "</wide>",
        )
        for i, payload in enumerate(payloads):
            one.message(other.jid, f"extreme {i}", payload)
            other.expect_message(f"extreme {i}")
        for text in ("<" * 20000, "&" * 20000, ">" * 20000, "\"'" * 10000, "]]>" * 6000, "\n\t" * 10000,
                     "\U0001f600" * 20000, "\x7f\x80\u061c"):
            one.message(other.jid, text)
            other.expect_message(text)
        cast.settle()


def carbons(cast):
    """What is sent and received by one resource is seen by the other of the same user."""
    tablets = []
    for actor in (cast.alice, cast.bob):
        tablet = cast.enter(actor.side, actor.bare.split("@")[0], "tablet")
        tablets.append(tablet)
        tablet.ask(None, "set", "<enable xmlns='urn:xmpp:carbons:2'/>")
        tablet.presence(extra=f"<priority>0</priority>{tablet.caps}")
        tablet.expect_presence(tablet.jid)
        cast.settle()
    for (one, other), mine, theirs in zip(ways(cast), tablets, reversed(tablets)):
        for text in ("copied & <copied>", TEXTS[2]):
            one.message(other.jid, text, "<request xmlns='urn:xmpp:receipts'/>")
            mine.expect_inside("{urn:xmpp:carbons:2}sent")
            theirs.expect_inside("{urn:xmpp:carbons:2}received")
        one.message(other.jid, "private", "<private xmlns='urn:xmpp:carbons:2'/><no-copy xmlns='urn:xmpp:hints'/>")
        one.message(other.bare, "to all of them")
        theirs.expect_inside("{jabber:client}body")
        one.message(other.jid, "a headline", kind="headline")
        cast.settle()
    for tablet in tablets:
        tablet.leave()
    for (one, other), tablet in zip(ways(cast), reversed(tablets)):
        one.expect_presence(tablet.jid, "unavailable")


def questions(cast):
    """IQs of every kind to servers, users and clients, with answers and with errors."""
    payloads = (
        "<ping xmlns='urn:xmpp:ping'/>", "<query xmlns='jabber:iq:version'/>", "<query xmlns='jabber:iq:last'/>",
        "<time xmlns='urn:xmpp:time'/>", f"<query xmlns='{INFO}'/>", f"<query xmlns='{ITEMS}'/>", "<vCard xmlns='vcard-temp'/>",
        f"<query xmlns='{INFO}' node='urn:example:node'/>",
        f"<query xmlns='{ITEMS}' node='http://jabber.org/protocol/commands'/>",
        "<own xmlns='urn:example:own'><p:in xmlns:p='urn:example:in' p:q='&lt;'/></own>", "<query xmlns='jabber:iq:register'/>",
        "<query xmlns='jabber:iq:roster'/>", "<query xmlns='jabber:iq:private'><own xmlns='urn:example:own'/></query>",
        pubsub("<items node='urn:example:none'/>"), "<blocklist xmlns='urn:xmpp:blocking'/>",
        f"<query xmlns='{MAM}'/>", "<command xmlns='http://jabber.org/protocol/commands' node='ping' action='execute'/>",
    )
    for one, other in ways(cast):
        rooms = f"conference.{other.domain}"
        asked = (other.domain, other.bare, other.jid, f"{other.bare}/gone", f"nobody@{other.domain}", rooms,
                 f"none@{rooms}", f"none@{rooms}/none")
        for payload in payloads:
            one.ask_all(asked, "get", payload)
        one.ask_all(asked, "set", payloads[9])
        one.ask_all(asked, "set", "<query xmlns='jabber:iq:roster'><item jid='x@y.example'/></query>")
        for to in asked:
            one.send(f"<iq to='{to}' type='result' id='my-stray'/>")
        cast.settle()


def sessions(cast):
    """What clients agree on with each other: calls, files in bits, commands. Each request is answered, by an error here."""
    jingle, ibb = "urn:xmpp:jingle:1", "http://jabber.org/protocol/ibb"
    payloads = (
        f"<jingle xmlns='{jingle}' action='session-initiate' initiator='a@b.example/c' sid='my-sid'>"
        "<content creator='initiator' name='voice'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>"
        "<payload-type id='97' name='speex' clockrate='8000'><parameter name='vbr' value='on'/></payload-type>"
        "</description><transport pwd='a&amp;b' "
        "xmlns='urn:xmpp:jingle:transports:ice-udp:1'><candidate ip='10.0.1.1' port='8998'/></transport></content></jingle>",
        f"<jingle xmlns='{jingle}' action='session-terminate' sid='my-sid'><reason><success/><text>&lt;</text>"
        "</reason></jingle>",
        f"<open xmlns='{ibb}' block-size='4096' sid='my-ibb' stanza='iq'/>",
        *(f"<data xmlns='{ibb}' seq='{seq}' sid='my-ibb'>{'qANQR1DBwU4DX7jmYZnncmUQB/9KuKBddzQH+tZ1ZywKK0yH' * 85}</data>"
          for seq in range(3)),
        f"<close xmlns='{ibb}' sid='my-ibb'/>",
        "<query xmlns='jabber:iq:rpc'><methodCall><methodName>m</methodName></methodCall></query>",
        "<x xmlns='http://jabber.org/protocol/rosterx'><item action='add' jid='x@y.example' name='X'/></x>",
        "<query xmlns='http://jabber.org/protocol/bytestreams' sid='my-bs'>"
        "<streamhost jid='p.example' host='::1' port='1'/></query>",
        "<command xmlns='http://jabber.org/protocol/commands' node='n' action='next'>"
        "<x xmlns='jabber:x:data' type='submit'/></command>",
    )
    for one, other in ways(cast):
        for payload in payloads:
            one.ask(other.jid, "set", payload)
        for name in ("propose", "proceed", "reject", "retract"):
            one.send(f"<message to='{other.jid}' type='chat' id='my-{name}'>"
                     f"<{name} xmlns='urn:xmpp:jingle-message:0' id='my-call'>"
                     f"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></{name}></message>")
        cast.settle()


def blocking(cast):
    """One blocks other, who sees them leave and has what they send returned; and takes it back."""
    for one, other in ways(cast):
        item = f"<item jid='{other.bare}'/>"
        one.ask(None, "set", f"<block xmlns='urn:xmpp:blocking'>{item}</block>")
        cast.settle()
        other.message(one.jid, "are you there?")
        other.message(one.bare, "are you?")
        other.ask(one.jid, "get", "<query xmlns='jabber:iq:version'/>")
        other.presence(one.jid, status="look")
        one.message(other.bare, "I block you")
        cast.settle()
        one.ask(None, "set", f"<unblock xmlns='urn:xmpp:blocking'>{item}</unblock>")
        cast.settle()


def vcard(cast):
    photo = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(16)) * 500).decode()
    for one, other in ways(cast):
        other.ask(None, "set", "<vCard xmlns='vcard-temp'><FN>Person &amp; Co \u00e9</FN><N><FAMILY>P</FAMILY><GIVEN/></N>"
                  f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{photo}</BINVAL></PHOTO><DESC>two\nlines</DESC></vCard>")
        cast.settle()
        one.ask(other.bare, "get", "<vCard xmlns='vcard-temp'/>")
        one.ask(other.bare, "get", pubsub("<items node='urn:xmpp:vcard4'/>"))
        one.ask(other.bare, "set", "<vCard xmlns='vcard-temp'><FN>Forged</FN></vCard>")
        cast.settle()


def pubsub(inner, part=""):
    return f"<pubsub xmlns='{PUBSUB}{part}'>{inner}</pubsub>"


def publish(one, node, item, payload):
    one.ask(None, "set", pubsub(f"<publish node='{node}'><item id='{item}'>{payload}</item></publish>"))


def is_event(node):
    return lambda e: any(items.get("node") == node for items in e.iter(f"{EVENT}items"))


def personal_events(cast):
    """A contact on the other side is told of nick, tune and avatar, as its client says in its caps that it wishes."""
    for one, other in ways(cast):
        one.presence(extra=one.caps)
        other.expect_presence(one.jid)
    cast.settle()
    for one, other in ways(cast):
        publish(one, AVATAR[1], "my-sha1", f"<data xmlns='{AVATAR[1]}'>iVBORw0KGgoAAAANSUhEUgAA</data>")
        for node, item, payload in (
                (NICK, "current", f"<nick xmlns='{NICK}'>Nick &amp; \U0001f600</nick>"),
                (TUNE, "current", f"<tune xmlns='{TUNE}'><artist>A &lt;B&gt;</artist><length>686</length></tune>"),
                (TUNE, "current", f"<tune xmlns='{TUNE}'/>"),
                (MOOD, "current", f"<mood xmlns='{MOOD}'><happy/><text>\u263a</text></mood>"),
                (AVATAR[0], "my-sha1", f"<metadata xmlns='{AVATAR[0]}'><info bytes='9' id='my-sha1' type='image/png'/>"
                 "</metadata>")):
            publish(one, node, item, payload)
            other.expect(is_event(node), f"an event of {node}")
        publish(one, UNWISHED, "my-item", "<own xmlns='urn:example:own'/>")
        cast.settle()
        nodes_of_another(cast, one, other)
        other.presence(kind="unavailable")
        one.expect_presence(other.jid, "unavailable")
        other.presence(extra=other.caps)                     # comes back and is told the last of each
        other.expect(is_event(AVATAR[0]), "the avatar once more")
        one.expect_presence(other.jid)
        cast.settle()


def nodes_of_another(cast, one, other):
    """What other may read of one, may not write, and subscribes to."""
    for node in (NICK, TUNE, *AVATAR, UNWISHED, "urn:example:none"):
        other.ask(one.bare, "get", pubsub(f"<items node='{node}'/>"))
        other.ask(one.bare, "get", f"<query xmlns='{INFO}' node='{node}'/>")
    other.ask(one.bare, "get", f"<query xmlns='{ITEMS}'/>")
    other.ask(one.bare, "set", pubsub(f"<publish node='{NICK}'><item/></publish>"))
    other.ask(one.bare, "set", pubsub(f"<subscribe node='{UNWISHED}' jid='{other.bare}'/>"))
    publish(one, UNWISHED, "my-item", "<own xmlns='urn:example:own'>again</own>")
    cast.settle()
    one.ask(None, "set", pubsub(f"<retract node='{NICK}' notify='true'><item id='current'/></retract>"))
    cast.settle()
    one.ask(None, "set", pubsub(f"<delete node='{UNWISHED}'/>", "#owner"))
    cast.settle()


def enter_room(one, room, nick, extra=""):
    one.presence(f"{room}/{nick}", extra=f"<x xmlns='{MUC}'>{extra}</x>")
    return one.expect(lambda e: local(e) == "presence" and e.get("from") == f"{room}/{nick}" and
                      any(s.get("code") == "110" for s in e.iter(f"{{{MUC_USER}}}status")), f"being in {room}")


def say(one, room, text, *listeners, extra=""):
    one.message(room, text, extra, kind="groupchat")
    for listener in listeners:
        listener.expect_message(text, type="groupchat")


def rename(one, room, old, new, *watchers):
    one.presence(f"{room}/{new}")
    for watcher in watchers:
        watcher.expect_presence(f"{room}/{old}", "unavailable")
        watcher.expect_presence(f"{room}/{new}")


def room(cast):
    """One opens a room on its own server; the other side comes in, talks, and has its way with it."""
    for one, other in ways(cast):
        hall = f"hall-{one.bare.split('@')[0]}@conference.{one.domain}"
        third = cast.bella if other is cast.bob else cast.anna
        enter_room(one, hall, "owner")
        one.ask(hall, "get", f"<query xmlns='{MUC_OWNER}'/>")
        one.ask(hall, "set", f"<query xmlns='{MUC_OWNER}'><x xmlns='{FORM}' type='submit'><field var='FORM_TYPE'><value>"
                f"{MUC}#roomconfig</value></field><field var='muc#roomconfig_persistentroom'><value>1</value></field></x>"
                "</query>")
        for guest, nick in ((other, "guest"), (third, "th\u00edrd one")):
            enter_room(guest, hall, nick)
            one.expect_presence(f"{hall}/{nick}")
        cast.settle()
        everybody = one, other, third
        for speaker, text in ((one, "welcome"), (other, TEXTS[0]), (third, TEXTS[2]), (other, "0123456789" * 5000)):
            say(speaker, hall, text, *everybody)
        say(other, hall, "rich", *everybody, extra="<replace xmlns='urn:xmpp:message-correct:0' id='my-first'/>"
            "<active xmlns='http://jabber.org/protocol/chatstates'/><own xmlns='urn:example:own'/>")
        for speaker in (one, other):
            speaker.send(f"<message to='{hall}' type='groupchat' id='my-subject'><subject>About {speaker.bare} &amp; more"
                         "</subject></message>")
            cast.settle()
        for speaker, listener, nick in ((one, other, "guest"), (other, one, "owner"), (other, third, "th\u00edrd one")):
            speaker.message(f"{hall}/{nick}", f"whispered to {nick}", f"<x xmlns='{MUC_USER}'/>")
            listener.expect_message(f"whispered to {nick}", type="chat")
        other.message(f"{hall}/nobody", "whispered to nobody")
        cast.settle()                                      # archives tell what came first
        other.message(hall, "not as a groupchat", kind="chat")
        rename(other, hall, "guest", "friend", *everybody)
        other.presence(f"{hall}/owner")                                                     # it is taken
        other.presence(f"{hall}/friend", show="away", status="away & back")
        one.expect(lambda e: local(e) == "presence" and e.findtext("{jabber:client}show") == "away", "presence in the room")
        cast.settle()
        room_questions(cast, one, other, hall)
        room_powers(cast, one, other, third, hall)
        history(cast, one, other, hall)
        other.presence(f"{hall}/friend", "unavailable", status="bye & thanks")
        one.expect_presence(f"{hall}/friend", "unavailable")
        say(one, hall, "nobody from there hears", one)
        enter_room(other, hall, "friend", "<history maxstanzas='2'/>")
        cast.settle()
        one.ask(hall, "set", f"<query xmlns='{MUC_OWNER}'><destroy jid='other@conference.{one.domain}'><reason>Over &amp; out"
                "</reason></destroy></query>")
        other.expect_presence(f"{hall}/friend", "unavailable")
        cast.settle()


def room_questions(cast, one, other, hall):
    for to in (hall, f"{hall}/friend", f"{hall}/owner", hall.split("@")[1]):
        for payload in ("<ping xmlns='urn:xmpp:ping'/>", f"<query xmlns='{INFO}'/>", f"<query xmlns='{ITEMS}'/>",
                        "<vCard xmlns='vcard-temp'/>", "<query xmlns='jabber:iq:version'/>", f"<query xmlns='{MUC_OWNER}'/>",
                        f"<query xmlns='{MUC_ADMIN}'><item affiliation='owner'/></query>"):
            other.ask(to, "get", payload)
    other.ask(hall, "get", f"<query xmlns='{INFO}' node='x-roomuser-item'/>")
    cast.settle()


def room_powers(cast, one, other, third, hall):
    def admin(by, item):
        return by.ask(hall, "set", f"<query xmlns='{MUC_ADMIN}'><item {item}</query>")
    admin(other, "nick='owner' role='none'/>")                                              # may not
    admin(one, "nick='friend' role='moderator'/>")
    cast.settle()
    admin(one, f"jid='{other.bare}' affiliation='owner'><reason>you too</reason></item>")
    cast.settle()
    other.ask(hall, "get", f"<query xmlns='{MUC_OWNER}'/>")
    admin(other, "nick='th\u00edrd one' role='none'><reason>out &amp; away</reason></item>")
    third.expect_presence(f"{hall}/th\u00edrd one", "unavailable")
    cast.settle()
    admin(other, f"jid='{third.bare}' affiliation='outcast'/>")
    third.presence(f"{hall}/th\u00edrd one", extra=f"<x xmlns='{MUC}'/>")
    third.expect_presence(f"{hall}/th\u00edrd one", "error")
    admin(other, f"jid='{third.bare}' affiliation='none'/>")
    one.send(f"<message to='{hall}' id='my-invitation'><x xmlns='{MUC_USER}'><invite to='{third.bare}'><reason>Come &amp; see"
             "</reason></invite></x></message>")
    third.expect_inside(f"{{{MUC_USER}}}invite")
    third.send(f"<message to='{hall}' id='my-no'><x xmlns='{MUC_USER}'><decline to='{one.bare}'><reason>No</reason></decline>"
               "</x></message>")
    one.expect_inside(f"{{{MUC_USER}}}decline")
    one.message(third.bare, "direct", f"<x xmlns='jabber:x:conference' jid='{hall}' reason='r &amp; s'/>", kind="normal")
    third.expect_message("direct")
    cast.settle()


def mam(query):
    return f"<query xmlns='{MAM}' queryid='my-query'><x xmlns='{FORM}' type='submit'><field var='FORM_TYPE' type='hidden'>" \
           f"<value>{MAM}</value></field></x>{query}</query>"


def history(cast, one, other, hall):
    """The archive of the room, whole and in pages, asked for from the other side."""
    other.ask(hall, "get", f"<query xmlns='{MAM}'/>")
    other.ask(hall, "set", mam(""))
    cast.settle()
    other.ask(hall, "set", mam("<set xmlns='http://jabber.org/protocol/rsm'><max>2</max></set>"))
    other.ask(hall, "set", mam("<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><before/></set>"))
    other.ask(one.bare, "set", mam(""))                                       # a person's is nobody else's business
    cast.settle()


def room_of_the_other(cast):
    """One opens a room over there, configures and empties it."""
    for one, other in ways(cast):
        hall = f"far-{one.bare.split('@')[0]}@conference.{other.domain}"
        enter_room(one, hall, "me")
        one.ask(hall, "get", f"<query xmlns='{MUC_OWNER}'/>")
        one.ask(hall, "set", f"<query xmlns='{MUC_OWNER}'><x xmlns='{FORM}' type='submit'><field var='FORM_TYPE'><value>"
                f"{MUC}#roomconfig</value></field><field var='muc#roomconfig_roomname'><value>Far &amp; wide</value></field>"
                "<field var='muc#roomconfig_passwordprotectedroom'><value>1</value></field>"
                "<field var='muc#roomconfig_roomsecret'><value>s&lt;cret</value></field></x></query>")
        other.presence(f"{hall}/you", extra=f"<x xmlns='{MUC}'/>")
        other.expect_presence(f"{hall}/you", "error")
        enter_room(other, hall, "you", "<password>s&lt;cret</password>")
        one.expect_presence(f"{hall}/you")
        say(one, hall, "hello, room", one, other)
        say(other, hall, "hello, you", one, other)
        one.ask(hall.split("@")[1], "get", f"<query xmlns='{ITEMS}'/>")
        one.presence(kind="unavailable")                                       # leaves all rooms
        other.expect_presence(f"{hall}/me", "unavailable")
        one.presence(extra=one.caps)
        other.expect_presence(one.jid)
        other.presence(f"{hall}/you", "unavailable")
        other.expect_presence(f"{hall}/you", "unavailable")
        cast.settle()


def offline(cast):
    """What was said to somebody who was away is there when they come back; and the archive has all."""
    for i in range(2):
        one, other = ways(cast)[i]
        name = other.bare.split("@")[0]
        other.leave()
        one.expect_presence(other.jid, "unavailable")
        for kind in ("chat", "normal", "headline", "groupchat"):
            one.message(other.bare, f"{kind} while away", "<request xmlns='urn:xmpp:receipts'/>", kind=kind)
            cast.settle()
        one.message(other.jid, "to the client that is gone", kind="chat")
        cast.settle()
        one.message(other.bare, TEXTS[2], "<own xmlns='urn:example:own'/>", kind="chat")
        one.ask(other.bare, "get", "<query xmlns='jabber:iq:last'/>")
        one.ask(other.jid, "get", "<ping xmlns='urn:xmpp:ping'/>")
        one.presence(other.bare, "probe")
        cast.settle()
        back = cast.enter(other.side, name)
        back.presence(extra=back.caps)
        one.expect_presence(back.jid)
        back.expect_message(TEXTS[2])
        cast.settle()
        back.ask(None, "set", mam("<set xmlns='http://jabber.org/protocol/rsm'><max>20</max><before/></set>"))
        if i == 0:
            cast.bob = back
        else:
            cast.alice = back


def odd(cast):
    """Messages of a type that nobody knows; with a child that messages do not have; errors without an error."""
    for one, other in ways(cast):
        for to in addresses(other):
            one.send(f"<message to='{to}' id='{ODD}' type='odd'><body>odd type to {to}</body></message>")
        for child in ("<message type='chat'><body>within</body></message>", "<own/>"):
            one.send(f"<message to='{other.jid}' id='{ODD}' type='chat'>{child}</message>")
        one.send(f"<message to='{other.jid}' id='{ODD}' type='error'/>")
        cast.settle()


def nowhere(cast):
    """A host that the other server does not know."""
    for one, other in ways(cast):
        host = f"gone.{other.domain}"
        one.message(f"somebody@{host}", "is anybody there?")
        one.presence(f"somebody@{host}", "subscribe")
        one.expect(lambda e, host=host: local(e) == "message" and e.get("type") == "error" and
                   host in e.get("from"), f"an error about {host}")
        one.ask(host, "get", "<ping xmlns='urn:xmpp:ping'/>")
        cast.settle()


def restart(cast):
    """
    A server is stopped, and what is sent to it meanwhile comes back; it is started again. Not with ejabberd, which then waits
    as long as it likes before it dials again.
    """
    if not all(isinstance(server, Prosody) for server in cast.world.server.values()):
        return
    for i in range(2):
        one, other = ways(cast)[i]
        for actor in [actor for actor in cast.actors if actor.side == other.side]:
            actor.leave()
        cast.listen_out(0.5)
        server = cast.world.server[other.side]
        server.stop()
        cast.listen_out(0.5)
        one.message(other.bare, "to a server that is down")
        one.expect(lambda e: local(e) == "message" and e.get("type") == "error", "an error about the server")
        server.start()
        back = cast.enter(other.side, other.bare.split("@")[0])
        back.presence(extra=back.caps)
        one.expect_presence(back.jid)
        cast.settle()
        if i == 0:
            cast.bob = back
        else:
            cast.alice = back


def farewell(cast):
    for one, other in ways(cast):
        one.presence(other.bare, "unsubscribe")
        one.presence(other.bare, "unsubscribed")
        cast.settle()
    for actor in (cast.alice, cast.bob):
        actor.ask(None, "get", "<query xmlns='jabber:iq:roster'/>")
    cast.settle(1.0)                                              # nothing comes late


def reserved(cast):
    """
    XML has characters that Unicode reserves. The guard has not: it ends the stream, and what is said next goes over a new
    one, once the server has noticed.
    """
    for one, other in ways(cast):
        one.message(other.jid, RESERVED)
        if deliver(one, other, AFTERWARDS, 15) is None:
            raise Missed(f"{other.jid} is not told anything after reserved characters")


SCENES = (entrance, subscription, refused_subscription, presence, chat, kinds, extensions, extremes, carbons, questions,
          sessions, vcard, personal_events, room, room_of_the_other, offline, blocking, odd, nowhere, restart,
          farewell, reserved)
