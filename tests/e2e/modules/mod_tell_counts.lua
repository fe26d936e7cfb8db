-- Tells a local user what stream management (XEP-0198) counts on the server-to-server streams of this host.
local st = require "util.stanza";

local function describe(reply, session, direction, peer, told)
	if told[session] or not session.smacks or not session.handled_stanza_count then return; end
	told[session] = true;
	local queue = session.outgoing_stanza_queue;
	reply:tag("stream", {
		direction = direction, peer = peer,
		sent = queue and ("%d"):format(queue:count_acked() + queue:count_unacked()) or "0";
		unacknowledged = queue and ("%d"):format(queue:count_unacked()) or "0";
		handled = ("%d"):format(session.handled_stanza_count);
	}):up();
end

module:hook("iq-get/host/urn:example:counts:query", function (event)
	local reply, told = st.reply(event.stanza):tag("query", { xmlns = "urn:example:counts" }), {};
	for session in pairs(prosody.incoming_s2s) do
		if session.to_host == module.host then
			describe(reply, session, "in", session.from_host, told);
		end
	end
	for peer, session in pairs(prosody.hosts[module.host].s2sout) do
		describe(reply, session, "out", peer, told);
	end
	event.origin.send(reply);
	return true;
end);
